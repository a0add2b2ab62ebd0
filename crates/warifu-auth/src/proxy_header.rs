//! The header with which a proxy begins a connection that it hands on: PROXY protocol, version 2
//! (<https://www.haproxy.org/download/3.0/doc/proxy-protocol.txt>, section 2.2).
//!
//! Only whose connection it is gets read. Version 1 is refused: whoever writes it can write this one
//! too, and two forms of the same word are one to be misread. So is a connection that the proxy can
//! give no address of: it would count as the proxy's own network.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

/// The part that every header has, in bytes.
pub const OPENING: usize = 16;
/// Longest part after it that is taken, in bytes: addresses and what else a proxy tells (TLVs). A client
/// certificate fits.
pub const LONGEST: usize = 4_096;

const SIGNATURE: [u8; 12] = *b"\r\n\r\n\0\r\nQUIT\n";

/// Why a connection's header is not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProxyHeaderError {
    #[error("it does not begin with a PROXY header, version 2")]
    None,
    #[error("it begins with a PROXY header, version 1; make the proxy send version 2")]
    FirstVersion,
    #[error("its header has another version or an unknown command")]
    Command,
    #[error("its header names no TCP address, IPv4 or IPv6")]
    Family,
    #[error("its header is shorter than the addresses that it announces")]
    Short,
    #[error("its header has more than {LONGEST} bytes")]
    Long,
}

/// Whose connection it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Announced {
    /// The proxy's own, to see whether the server is well.
    Own,
    /// A client's.
    Of(SocketAddr),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Family {
    /// Of the proxy itself: whatever follows is skipped.
    Own,
    V4,
    V6,
}

/// A header's first part, which says what follows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Opening {
    family: Family,
    rest: usize,
}

impl Opening {
    /// Reads the first 16 bytes of a connection.
    ///
    /// # Errors
    /// When they begin no header that is taken.
    pub fn read(bytes: &[u8; OPENING]) -> Result<Opening, ProxyHeaderError> {
        if bytes.starts_with(b"PROXY ") {
            return Err(ProxyHeaderError::FirstVersion);
        }
        if !bytes.starts_with(&SIGNATURE) {
            return Err(ProxyHeaderError::None);
        }
        let family = match (bytes[12], bytes[13]) {
            (0x20, _) => Family::Own,
            (0x21, 0x11) => Family::V4,
            (0x21, 0x21) => Family::V6,
            (0x21, _) => return Err(ProxyHeaderError::Family),
            _ => return Err(ProxyHeaderError::Command),
        };
        let rest = usize::from(u16::from_be_bytes([bytes[14], bytes[15]]));
        let addresses = match family {
            Family::Own => 0,
            Family::V4 => 12,
            Family::V6 => 36,
        };
        match rest {
            _ if rest > LONGEST => Err(ProxyHeaderError::Long),
            _ if rest < addresses => Err(ProxyHeaderError::Short),
            _ => Ok(Opening { family, rest }),
        }
    }

    /// How many bytes follow, at most [`LONGEST`]. What comes after them is the client's.
    pub fn rest(self) -> usize {
        self.rest
    }

    /// Reads what follows. TLVs stay unread.
    ///
    /// # Errors
    /// When it is less than was announced.
    pub fn announced(self, rest: &[u8]) -> Result<Announced, ProxyHeaderError> {
        let short = ProxyHeaderError::Short;
        if rest.len() < self.rest {
            return Err(short);
        }
        let (address, ports) = match self.family {
            Family::Own => return Ok(Announced::Own),
            Family::V4 => {
                let (source, after) = rest.split_first_chunk::<4>().ok_or(short)?;
                (IpAddr::from(Ipv4Addr::from(*source)), after.get(4..).ok_or(short)?)
            }
            Family::V6 => {
                let (source, after) = rest.split_first_chunk::<16>().ok_or(short)?;
                (IpAddr::from(Ipv6Addr::from(*source)), after.get(16..).ok_or(short)?)
            }
        };
        let port = ports.first_chunk::<2>().ok_or(short)?;
        Ok(Announced::Of(SocketAddr::new(address.to_canonical(), u16::from_be_bytes(*port))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn opening(command: u8, family: u8, rest: u16) -> [u8; OPENING] {
        let mut bytes = [0; OPENING];
        bytes[..12].copy_from_slice(&SIGNATURE);
        bytes[12] = command;
        bytes[13] = family;
        bytes[14..].copy_from_slice(&rest.to_be_bytes());
        bytes
    }

    fn read(head: [u8; OPENING], rest: &[u8]) -> Result<Announced, ProxyHeaderError> {
        Opening::read(&head)?.announced(rest)
    }

    #[test]
    fn the_first_address_is_the_client_s() {
        let v4 = [203, 0, 113, 10, 192, 0, 2, 1, 0x12, 0x34, 0, 80];
        let of = |text: &str| Ok(Announced::Of(text.parse().unwrap()));
        assert_eq!(read(opening(0x21, 0x11, 12), &v4), of("203.0.113.10:4660"));
        let mut v6 = [0; 36];
        v6[..4].copy_from_slice(&[0x20, 1, 0xd, 0xb8]);
        v6[15] = 7;
        v6[33] = 9;
        assert_eq!(read(opening(0x21, 0x21, 36), &v6), of("[2001:db8::7]:9"));
        v6[..16].copy_from_slice(&Ipv4Addr::new(203, 0, 113, 10).to_ipv6_mapped().octets());
        assert_eq!(
            read(opening(0x21, 0x21, 36), &v6),
            of("203.0.113.10:9"),
            "one address, one form"
        );
        // TLVs of whatever kind.
        let longer = [&v4[..], &[0x20, 0xff, 0xff, 1]].concat();
        assert_eq!(read(opening(0x21, 0x11, 16), &longer), of("203.0.113.10:4660"));
    }

    #[test]
    fn a_proxy_s_own_connection_is_its_own() {
        for (family, rest) in [(0, 0), (0x11, 12), (0x21, 36), (0xff, 100)] {
            let said = read(opening(0x20, family, rest), &vec![7; usize::from(rest)]);
            assert_eq!(said, Ok(Announced::Own));
        }
    }

    #[test]
    fn everything_else_is_refused() {
        use ProxyHeaderError::{Command, Family, FirstVersion, Long, None, Short};
        for (head, fault) in [
            (*b"GET / HTTP/1.1\r\n", None),
            (*b"PROXY TCP4 203.0", FirstVersion),
            (*b"PROXY UNKNOWN\r\nG", FirstVersion),
            (opening(0x11, 0x11, 12), Command),
            (opening(0x22, 0x11, 12), Command),
            (opening(0x31, 0x11, 12), Command),
            (opening(0x21, 0x00, 0), Family),
            (opening(0x21, 0x12, 12), Family),
            (opening(0x21, 0x22, 36), Family),
            (opening(0x21, 0x31, 216), Family),
            (opening(0x21, 0x41, 12), Family),
            (opening(0x21, 0x11, 11), Short),
            (opening(0x21, 0x21, 12), Short),
            (opening(0x21, 0x11, 4_097), Long),
            (opening(0x20, 0x00, u16::MAX), Long),
        ] {
            assert_eq!(Opening::read(&head), Err(fault), "{head:?}");
        }
        let whole = Opening::read(&opening(0x21, 0x11, 12)).unwrap();
        assert_eq!(whole.rest(), 12);
        assert_eq!(whole.announced(&[1; 11]), Err(Short));
    }
}
