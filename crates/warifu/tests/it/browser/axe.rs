//! The accessibility check: axe-core in the page.

use super::{Page, root};
use serde_json::Value;
use std::fmt;
use std::path::PathBuf;

/// A rule of axe-core that the page breaks.
#[derive(Debug)]
pub struct Violation {
    pub id: String,
    pub impact: String,
    pub help: String,
    /// Selectors of the elements, each with what is wrong.
    pub nodes: Vec<String>,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{} ({}): {}", self.id, self.impact, self.help)?;
        self.nodes.iter().try_for_each(|node| writeln!(f, "    {node}"))
    }
}

impl Page {
    /// What axe-core finds against WCAG 2.2 AA and its best practices.
    pub async fn accessibility(&self) -> Vec<Violation> {
        let folder = std::env::var_os("WARIFU_PEERS_DIR").map(PathBuf::from);
        let folder = folder.unwrap_or_else(|| root().join("target/peers"));
        let path = folder.join("node_modules/axe-core/axe.min.js");
        let axe = std::fs::read_to_string(&path)
            .unwrap_or_else(|e| panic!("{}: {e}; ./test installs it", path.display()));
        self.eval(&format!("{axe}; true")).await;
        let run = "axe.run({ runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', \
                   'best-practice'], resultTypes: ['violations'] }).then((r) => r.violations)";
        let violations = self.eval(run).await;
        let text = |value: &Value| value.as_str().unwrap_or("").to_owned();
        let violation = |v: &Value| Violation {
            id: text(&v["id"]),
            impact: text(&v["impact"]),
            help: text(&v["help"]),
            nodes: v["nodes"].as_array().into_iter().flatten().map(node).collect(),
        };
        violations.as_array().into_iter().flatten().map(violation).collect()
    }

    pub async fn assert_accessible(&self) {
        let violations = self.accessibility().await;
        let list: String = violations.iter().map(ToString::to_string).collect();
        assert!(violations.is_empty(), "{} on {}:\n{list}", violations.len(), self.url().await);
    }
}

fn node(node: &Value) -> String {
    let target = node["target"].as_array().into_iter().flatten().filter_map(Value::as_str);
    let target: Vec<_> = target.collect();
    let what = node["failureSummary"].as_str().unwrap_or("").replace('\n', " ");
    format!("{}: {what}", target.join(" "))
}
