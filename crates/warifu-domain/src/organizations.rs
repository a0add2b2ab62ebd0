//! Organizations: the customers, and the vendor itself.

use serde::{Deserialize, Serialize};

/// Where an organization's tenants run. A government cloud is no environment but an *enclave*: an
/// installation of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Environment {
    Preview,
    Production,
}

impl Environment {
    pub fn key(self) -> &'static str {
        match self {
            Environment::Preview => "preview",
            Environment::Production => "production",
        }
    }

    pub fn from_key(key: &str) -> Option<Environment> {
        [Environment::Preview, Environment::Production].into_iter().find(|e| e.key() == key)
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Organization {
    pub name: String,
    pub environment: Environment,
    /// Product keys, sorted, each once.
    pub products: Vec<String>,
    /// The organization's main mail domain, folded; empty when unknown.
    pub domain: String,
    /// The vendor's own organization. There is exactly one.
    pub vendor: bool,
}

impl Organization {
    /// Products as they are stored and reported: sorted, each once, joined with `, `.
    pub fn products_text(&self) -> String {
        let mut products: Vec<&str> = self.products.iter().map(String::as_str).collect();
        products.sort_unstable();
        products.dedup();
        products.join(", ")
    }
}
