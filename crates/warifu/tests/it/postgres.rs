//! A PostgreSQL database for one test, made before it and dropped after it.

use sqlx::{AssertSqlSafe, Connection as _, Executor as _, PgConnection};

/// Drops its database when it goes out of scope.
pub struct Database {
    admin: String,
    name: String,
}

impl Database {
    /// Makes an empty database on the server that `WARIFU_TEST_POSTGRES` names.
    ///
    /// `None` where `WARIFU_SKIP_POSTGRES=1` says that there is no server. A missing variable fails
    /// the test: skipping half of the suite in silence would look like success.
    pub async fn create() -> Option<Self> {
        if std::env::var_os("WARIFU_SKIP_POSTGRES").is_some_and(|v| v == "1") {
            eprintln!("skipped: WARIFU_SKIP_POSTGRES=1");
            return None;
        }
        let Ok(admin) = std::env::var("WARIFU_TEST_POSTGRES") else {
            panic!(
                "no PostgreSQL to test with: run ./test, or set WARIFU_TEST_POSTGRES to the URL of \
                 a server where databases may be made, or WARIFU_SKIP_POSTGRES=1 to do without"
            );
        };
        let name = format!("warifu_{}", uuid::Uuid::new_v4().simple());
        // ICU or C makes no difference to us: no query may depend on the server's order of text.
        execute(&admin, &format!("CREATE DATABASE {name} TEMPLATE template0 ENCODING 'UTF8'"))
            .await
            .unwrap_or_else(|e| panic!("cannot create a database at {admin}: {e}"));
        Some(Self { admin, name })
    }

    /// The URL for `--database`.
    pub fn url(&self) -> String {
        let mut url = url::Url::parse(&self.admin).expect("WARIFU_TEST_POSTGRES is a URL");
        url.set_path(&self.name);
        url.to_string()
    }

    /// Runs a statement in this database, past the program: to damage it, or to look into it.
    pub async fn execute(&self, sql: &str) {
        execute(&self.url(), sql).await.unwrap_or_else(|e| panic!("{sql}: {e}"));
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        let (admin, name) = (self.admin.clone(), self.name.clone());
        // The test's own runtime may be going down: use another one.
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
            let drop = format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)");
            runtime.block_on(execute(&admin, &drop)).map_err(std::io::Error::other)
        });
        match thread.join() {
            Ok(Ok(())) => {}
            Ok(Err(error)) => eprintln!("database {} is left behind: {error}", self.name),
            Err(_) => eprintln!("database {} is left behind", self.name),
        }
    }
}

async fn execute(url: &str, sql: &str) -> Result<(), sqlx::Error> {
    let mut connection = PgConnection::connect(url).await?;
    connection.execute(sqlx::raw_sql(AssertSqlSafe(sql.to_owned()))).await?;
    connection.close().await
}
