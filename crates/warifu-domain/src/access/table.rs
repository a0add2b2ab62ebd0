//! `docs/roles.md` says what the code says: its table is made here from the permissions and their words,
//! and compared.

use super::{Permission, Role, Roles};
use crate::services::Scope;

const SOURCE: &str = include_str!("../access.rs");
const DOCUMENT: &str = include_str!("../../../../docs/roles.md");

/// Every permission as the source lists it, with its words.
fn permissions() -> Vec<(Permission, String)> {
    let listed = SOURCE.split("pub enum Permission {").nth(1).unwrap();
    let listed = listed.split("\n}").next().unwrap();
    let (mut all, mut words) = (Vec::new(), String::new());
    for line in listed.lines().map(str::trim).filter(|l| !l.is_empty()) {
        if let Some(doc) = line.strip_prefix("///") {
            words = format!("{words} {}", doc.trim());
            continue;
        }
        let name = line.trim_end_matches(',');
        let apart: String = name
            .char_indices()
            .map(|(i, c)| match c.is_uppercase() && i > 0 {
                true => format!("_{}", c.to_lowercase()),
                false => c.to_lowercase().to_string(),
            })
            .collect();
        let permission = serde_json::from_str(&format!("\"{apart}\"")).unwrap();
        let said = std::mem::take(&mut words).replace("[`", "`").replace("`]", "`");
        let said = said.split(';').next().unwrap_or_default().trim();
        let said = if said.is_empty() { apart.replace('_', " ") } else { said.to_owned() };
        all.push((permission, format!("`{apart}` | {}", said.trim_end_matches('.'))));
    }
    all
}

fn table() -> String {
    let mut out = "| permission | what it lets do |".to_owned();
    for role in Role::ALL {
        out.push_str(&format!(" {} |", role.key().replace('_', " ")));
    }
    out.push_str(" program with |\n|---|---|");
    out.push_str(&"---|".repeat(Role::ALL.len() + 1));
    for (permission, words) in permissions() {
        out.push_str(&format!("\n| {words} |"));
        for role in Role::ALL {
            let may = Roles::default().with(role).allow(permission);
            out.push_str(if may { " yes |" } else { " – |" });
        }
        let scope = Scope::ALL.into_iter().find(|s| s.permission() == permission);
        let scope = scope.map_or("–".to_owned(), |s| format!("`{}`", s.key()));
        out.push_str(&format!(" {scope} |"));
    }
    out
}

#[test]
fn the_document_says_who_may_do_what() {
    let table = table();
    assert!(permissions().len() > 20);
    assert!(DOCUMENT.contains(&table), "docs/roles.md needs this table:\n{table}\n");
}
