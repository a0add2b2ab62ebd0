//! Autonomous systems of addresses, from an MMDB file of the operator's choice: GeoLite2-ASN and
//! DB-IP (`autonomous_system_number`) or IPinfo (`asn: "AS64496"`).

use crate::network::{Network, prefix};
use maxminddb::{MaxMindDbError, Reader};
use serde::Deserialize;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::SystemTime;

/// Largest file that is read, in bytes.
const LARGEST: u64 = 512 << 20;

/// Why a file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum AsnError {
    #[error("{0}: {1}; check the path and its rights")]
    File(PathBuf, std::io::Error),
    #[error("{0} has {1} bytes, more than the {LARGEST} that are read; is it an ASN database?")]
    TooLarge(PathBuf, u64),
    #[error(
        "{0} is no ASN database in MMDB format: {1}; GeoLite2-ASN, IPinfo and DB-IP offer such"
    )]
    Format(PathBuf, String),
}

#[derive(Deserialize)]
struct Record<'a> {
    autonomous_system_number: Option<u32>,
    #[serde(borrow)]
    asn: Option<&'a str>,
}

/// Who runs it: GeoLite2 and DB-IP, and IPinfo in two of its formats. Read by itself, so that a database
/// with something else under these names still gives its numbers.
#[derive(Deserialize)]
struct Operator<'a> {
    #[serde(borrow)]
    autonomous_system_organization: Option<&'a str>,
    #[serde(borrow)]
    as_name: Option<&'a str>,
    #[serde(borrow)]
    name: Option<&'a str>,
}

impl Record<'_> {
    fn number(&self) -> Option<u32> {
        self.autonomous_system_number.or_else(|| self.asn?.strip_prefix("AS")?.parse().ok())
    }
}

struct Loaded {
    reader: Reader<Vec<u8>>,
    stamp: Stamp,
}

/// What tells that a file was replaced.
type Stamp = (Option<SystemTime>, u64);

/// An ASN database that is read again when its file changes. A lookup visits at most 128 nodes.
pub struct Asns {
    path: PathBuf,
    loaded: RwLock<Arc<Loaded>>,
}

impl std::fmt::Debug for Asns {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Asns").field(&self.path).finish()
    }
}

impl Asns {
    /// Reads and checks a file.
    ///
    /// # Errors
    /// When it cannot be read or is no database of autonomous systems.
    pub fn open(path: &Path) -> Result<Asns, AsnError> {
        Ok(Asns { path: path.to_owned(), loaded: RwLock::new(Arc::new(load(path)?)) })
    }

    /// Reads the file again if it was replaced, and says whether it was. Blocks for the time of
    /// reading and checking it: seconds for a large one.
    ///
    /// # Errors
    /// As [`Asns::open`]; the database that was read before stays in use.
    pub fn reload(&self) -> Result<bool, AsnError> {
        if stamp(&self.path)? == self.current().stamp {
            return Ok(false);
        }
        let loaded = Arc::new(load(&self.path)?);
        *self.loaded.write().unwrap_or_else(PoisonError::into_inner) = loaded;
        Ok(true)
    }

    /// The number of the autonomous system that announces an address, if it is known.
    pub fn number(&self, address: IpAddr) -> Option<u32> {
        let loaded = self.current();
        let found = loaded.reader.lookup(address.to_canonical()).ok()?;
        found.decode::<Record<'_>>().ok().flatten()?.number()
    }

    /// Who runs an autonomous system, by a prefix of it; `None` where the prefix is another's by now.
    pub fn operator(&self, number: u32, prefix: &str) -> Option<String> {
        let address = prefix.parse::<ipnetwork::IpNetwork>().ok()?.network();
        let loaded = self.current();
        let found = loaded.reader.lookup(address).ok()?;
        let now = found.decode::<Record<'_>>().ok().flatten()?.number();
        let of = found.decode::<Operator<'_>>().ok().flatten()?;
        let name = of.autonomous_system_organization.or(of.as_name).or(of.name);
        Some(name.filter(|_| now == Some(number))?.chars().take(80).collect())
    }

    fn current(&self) -> Arc<Loaded> {
        self.loaded.read().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// The network of an address; without a database by its prefix alone.
pub fn network_of(address: IpAddr, asns: Option<&Asns>) -> Network {
    Network { asn: asns.and_then(|a| a.number(address)), prefix: prefix(address) }
}

fn stamp(path: &Path) -> Result<Stamp, AsnError> {
    let about = std::fs::metadata(path).map_err(|e| AsnError::File(path.to_owned(), e))?;
    Ok((about.modified().ok(), about.len()))
}

fn load(path: &Path) -> Result<Loaded, AsnError> {
    let file = |e| AsnError::File(path.to_owned(), e);
    let format = |e: MaxMindDbError| AsnError::Format(path.to_owned(), e.to_string());
    // Before the content: a file that is replaced meanwhile is then read once more.
    let stamp = stamp(path)?;
    if stamp.1 > LARGEST {
        return Err(AsnError::TooLarge(path.to_owned(), stamp.1));
    }
    let reader = Reader::from_source(std::fs::read(path).map_err(file)?).map_err(format)?;
    // Every network is visited once here, so that no lookup meets a broken one.
    let mut known = 0_u64;
    for found in reader.networks(Default::default()).map_err(format)? {
        let record = found.and_then(|found| found.decode::<Record<'_>>()).map_err(format)?;
        known += u64::from(record.is_some_and(|r| r.number().is_some()));
    }
    if known == 0 {
        return Err(AsnError::Format(path.to_owned(), "it has no autonomous system".into()));
    }
    Ok(Loaded { reader, stamp })
}

#[cfg(test)]
mod tests {
    use super::*;
    use mmdb_writer::{Value, Writer};

    fn write(path: &Path, networks: &[(&str, Value)]) {
        let mut writer = Writer::new("Test-ASN");
        for (network, value) in networks {
            let network: mmdb_writer::ipnet::IpNet = network.parse().unwrap();
            writer.insert_value(network, value.clone()).unwrap();
        }
        std::fs::write(path, writer.to_bytes().unwrap()).unwrap();
    }

    fn geolite(number: u32) -> Value {
        Value::map([("autonomous_system_number", number)])
    }

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn the_usual_formats_are_read() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("asn.mmdb");
        let ipinfo = Value::map([("asn", "AS64497"), ("as_name", "Example")]);
        write(
            &path,
            &[
                ("1.2.0.0/16", geolite(64496)),
                ("5.6.7.0/24", ipinfo),
                ("2a00:1::/32", geolite(64496)),
            ],
        );
        let asns = Asns::open(&path).unwrap();
        assert_eq!(asns.number(ip("1.2.3.4")), Some(64496));
        assert_eq!(asns.number(ip("::ffff:1.2.3.4")), Some(64496));
        assert_eq!(asns.number(ip("2a00:1:2::3")), Some(64496));
        assert_eq!(asns.number(ip("5.6.7.8")), Some(64497));
        assert_eq!(asns.number(ip("9.9.9.9")), None);
        assert_eq!(network_of(ip("1.2.3.4"), Some(&asns)).to_string(), "AS64496 1.2.3.0/24");
        assert_eq!(network_of(ip("1.2.3.4"), None).to_string(), "1.2.3.0/24");
    }

    #[test]
    fn whoever_runs_a_network_is_named_while_it_is_theirs() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("asn.mmdb");
        let named = |number: u32, key: &str, name: Value| {
            Value::map([("autonomous_system_number", Value::from(number)), (key, name)])
        };
        write(
            &path,
            &[
                ("1.2.0.0/16", named(64496, "autonomous_system_organization", "Hashira".into())),
                ("5.6.7.0/24", named(64497, "as_name", "Meridian".into())),
                ("9.9.0.0/16", named(64498, "name", geolite(1))),
            ],
        );
        let asns = Asns::open(&path).unwrap();
        assert_eq!(asns.operator(64496, "1.2.3.0/24").as_deref(), Some("Hashira"));
        assert_eq!(asns.operator(64497, "5.6.7.0/24").as_deref(), Some("Meridian"));
        assert_eq!(asns.operator(64999, "1.2.3.0/24"), None, "it was another's");
        assert_eq!(asns.operator(64496, "loopback"), None);
        assert_eq!(
            (asns.operator(64498, "9.9.9.0/24"), asns.number(ip("9.9.9.9"))),
            (None, Some(64498))
        );
    }

    #[test]
    fn a_replaced_file_is_read_again_and_a_broken_one_changes_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("asn.mmdb");
        write(&path, &[("1.2.0.0/16", geolite(64496))]);
        let asns = Asns::open(&path).unwrap();
        assert!(!asns.reload().unwrap());
        write(&path, &[("1.2.0.0/16", geolite(64999)), ("5.6.7.0/24", geolite(1))]);
        assert!(asns.reload().unwrap());
        assert_eq!(asns.number(ip("1.2.3.4")), Some(64999));
        for broken in [&b"no database at all"[..], b"", b"\xab\xcd\xefMaxMind.com"] {
            std::fs::write(&path, broken).unwrap();
            assert!(matches!(asns.reload(), Err(AsnError::Format(..))));
            assert_eq!(asns.number(ip("1.2.3.4")), Some(64999));
        }
        std::fs::remove_file(&path).unwrap();
        assert!(matches!(asns.reload(), Err(AsnError::File(..))));
        assert_eq!(asns.number(ip("1.2.3.4")), Some(64999));
    }

    #[test]
    fn a_database_of_something_else_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("city.mmdb");
        let city = Value::map([("city", "Kyoto")]);
        write(&path, &[("1.2.0.0/16", city)]);
        let said = Asns::open(&path).err().unwrap().to_string();
        assert!(said.contains("no autonomous system"), "{said}");
    }

    #[test]
    fn cut_and_changed_files_do_no_harm() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("asn.mmdb");
        write(&path, &[("1.2.0.0/16", geolite(64496)), ("2a00:1::/32", geolite(7))]);
        let whole = std::fs::read(&path).unwrap();
        for n in 0..whole.len() {
            std::fs::write(&path, &whole[..n]).unwrap();
            let _ = Asns::open(&path);
            let mut changed = whole.clone();
            changed[n] ^= 0x5A;
            std::fs::write(&path, changed).unwrap();
            if let Ok(asns) = Asns::open(&path) {
                let _ = asns.number(ip("1.2.3.4"));
            }
        }
    }
}
