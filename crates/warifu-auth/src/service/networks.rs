//! The networks that a service account is declared to come from.

use ipnetwork::IpNetwork;
use std::fmt;
use std::net::IpAddr;
use warifu_domain::{Refusal, refusal};

/// At most so many.
const MOST: usize = 20;

/// Why a list is not taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NetworksError {
    Number,
    Format(String),
    Wide(String),
}

impl NetworksError {
    /// The same for whoever wrote the list.
    pub fn refusal(&self) -> Refusal {
        match self {
            NetworksError::Number => {
                refusal!("service-networks", "declare 1 to {limit} networks", limit = MOST)
            }
            NetworksError::Format(text) => refusal!(
                "service-network",
                "{text} is no network: write an address, a prefix like 192.0.2.0/24, or AS64496",
                text = text.as_str()
            ),
            NetworksError::Wide(text) => refusal!(
                "service-network-wide",
                "{text} is too wide: at least /8, or /19 for IPv6",
                text = text.as_str()
            ),
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Declared {
    Prefix(IpNetwork),
    System(u32),
}

warifu_domain::refuses!(NetworksError);

/// Prefixes and autonomous systems.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeclaredNetworks(Vec<Declared>);

impl DeclaredNetworks {
    /// Reads a list with commas or white space between its items.
    ///
    /// # Errors
    /// When it is empty or too long, or an item is no network or one that means everybody.
    pub fn parse(text: &str) -> Result<DeclaredNetworks, NetworksError> {
        let items = text.split(|c: char| c == ',' || c.is_whitespace()).filter(|i| !i.is_empty());
        let list = items.map(one).collect::<Result<Vec<_>, _>>()?;
        if list.is_empty() || list.len() > MOST {
            return Err(NetworksError::Number);
        }
        Ok(DeclaredNetworks(list))
    }

    /// Whether an address is in one of them. A system counts only where it is known.
    pub fn contain(&self, address: IpAddr, system: Option<u32>) -> bool {
        let address = address.to_canonical();
        self.0.iter().any(|declared| match declared {
            Declared::Prefix(prefix) => prefix.contains(address),
            Declared::System(number) => system == Some(*number),
        })
    }
}

fn one(item: &str) -> Result<Declared, NetworksError> {
    let shown = || item.chars().take(60).collect::<String>();
    if let Some(number) = item.strip_prefix("AS") {
        let number = number.parse().ok().filter(|n| *n > 0);
        return number.map(Declared::System).ok_or_else(|| NetworksError::Format(shown()));
    }
    let prefix: IpNetwork = item.parse().map_err(|_| NetworksError::Format(shown()))?;
    let widest = if prefix.is_ipv4() { 8 } else { 19 };
    if prefix.prefix() < widest {
        return Err(NetworksError::Wide(shown()));
    }
    Ok(Declared::Prefix(prefix))
}

impl fmt::Display for DeclaredNetworks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, declared) in self.0.iter().enumerate() {
            let between = if i == 0 { "" } else { " " };
            match declared {
                Declared::Prefix(prefix) => write!(f, "{between}{prefix}")?,
                Declared::System(number) => write!(f, "{between}AS{number}")?,
            }
        }
        Ok(())
    }
}
