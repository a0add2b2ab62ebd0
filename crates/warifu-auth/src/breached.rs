//! Passwords that stood in somebody's leak: the operator's file in the format of Have I Been Pwned,
//! `SHA1:COUNT` in lines sorted by hash. It has some 40 GB and is searched where it lies.

use secrecy::{ExposeSecret, SecretString};
use sha1::{Digest, Sha1};
use std::fs::File;
use std::io::{Read, Result, Seek, SeekFrom};
use std::path::Path;

/// Longest line that is read; a longer one is none of such a file.
const LINE: usize = 128;

/// An open file.
#[derive(Debug)]
pub struct Breached(std::path::PathBuf);

impl Breached {
    /// # Errors
    /// When there is no such file or it does not look like one.
    pub fn open(path: &Path) -> Result<Breached> {
        let mut file = File::open(path)?;
        let line = line_at(&mut file, 0)?;
        if line.len() < 40 || !line.is_ascii() || !line[..40].bytes().all(|b| b.is_ascii_hexdigit())
        {
            let what = "lines of SHA-1 hashes, sorted, are expected";
            return Err(std::io::Error::new(std::io::ErrorKind::InvalidData, what));
        }
        Ok(Breached(path.to_owned()))
    }

    /// Whether a password is in it. Some 35 reads for a billion lines.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn has(&self, password: &SecretString) -> Result<bool> {
        let hash = Sha1::digest(password.expose_secret().as_bytes());
        let hash: String = hash.iter().map(|byte| format!("{byte:02X}")).collect();
        has_hash(&mut File::open(&self.0)?, &hash)
    }
}

/// The first whole line that begins at an offset or after it; empty at the end.
fn line_at<F: Read + Seek>(file: &mut F, offset: u64) -> Result<String> {
    let (start, skip) = (offset.saturating_sub(1), offset > 0);
    file.seek(SeekFrom::Start(start))?;
    let mut bytes = Vec::with_capacity(2 * LINE);
    file.by_ref().take(2 * LINE as u64).read_to_end(&mut bytes)?;
    let mut rest = &bytes[..];
    if skip {
        let end = rest.iter().position(|b| *b == b'\n').map_or(rest.len(), |at| at + 1);
        rest = rest.get(end..).unwrap_or_default();
    }
    let end = rest.iter().position(|b| *b == b'\n').unwrap_or(rest.len());
    Ok(String::from_utf8_lossy(rest.get(..end).unwrap_or_default()).trim_end().to_owned())
}

/// Searches for a hash in upper-case hexadecimal.
fn has_hash<F: Read + Seek>(file: &mut F, hash: &str) -> Result<bool> {
    let (mut low, mut high) = (0, file.seek(SeekFrom::End(0))?);
    // The line, if it is there, begins at an offset in low..high.
    while low < high {
        let middle = low + (high - low) / 2;
        let line = line_at(file, middle)?;
        let found = line.split(':').next().unwrap_or_default().to_ascii_uppercase();
        if found == hash {
            return Ok(true);
        }
        // Without a line after the middle, it begins before.
        if found.is_empty() || found.as_str() > hash {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    Ok(false)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::io::{Cursor, Write};

    proptest! {
        #[test]
        fn it_finds_what_a_scan_finds(
            mut hashes in proptest::collection::btree_set("[0-9A-F]{40}", 0..60),
            counts in proptest::collection::vec(1u32..20_000_000, 60),
            crlf: bool, last: bool, ask in "[0-9A-F]{40}",
        ) {
            let end = if crlf { "\r\n" } else { "\n" };
            let lines: Vec<String> =
                hashes.iter().zip(&counts).map(|(h, n)| format!("{h}:{n}")).collect();
            let mut text = lines.join(end);
            if last && !text.is_empty() {
                text.push_str(end);
            }
            let mut file = Cursor::new(text.into_bytes());
            for hash in &hashes {
                prop_assert!(has_hash(&mut file, hash).unwrap(), "{}", hash);
            }
            let there = hashes.contains(&ask);
            prop_assert_eq!(has_hash(&mut file, &ask).unwrap(), there);
            // Neighbours of what is there.
            hashes.clear();
            for line in &lines {
                let mut near = line[..40].to_owned();
                let digit = if near.ends_with('0') { "1" } else { "0" };
                near.replace_range(39.., digit);
                let scanned = lines.iter().any(|l| l[..40] == near);
                prop_assert_eq!(has_hash(&mut file, &near).unwrap(), scanned);
            }
        }
    }

    #[test]
    fn a_file_is_searched_for_a_password() {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        // SHA-1 of "password" between two others.
        let lines = "000000005AD76BD555C1D6D771DE417A4B87E4B4:10\r\n5BAA61E4C9B93F3F0682250B6CF8331B7EE68FD8:52256179\r\nFFFFFFFEE791CBAC0F6305CAF0CEE06BBE131160:2\r\n";
        file.write_all(lines.as_bytes()).unwrap();
        let breached = Breached::open(file.path()).unwrap();
        assert!(breached.has(&"password".to_owned().into()).unwrap());
        assert!(!breached.has(&"passwort".to_owned().into()).unwrap());
        let mut other = tempfile::NamedTempFile::new().unwrap();
        other.write_all(b"not such a file\n").unwrap();
        assert!(Breached::open(other.path()).is_err());
    }
}
