//! Stylesheet, icons and ES modules, embedded in the binary.
//!
//! The address of an asset carries a digest of its content, so that it may be kept for ever by
//! a browser and never be stale: `/assets/warifu.HASH.css`. Modules import nothing from each
//! other, so no address has to be rewritten inside them.

use std::sync::LazyLock;

/// One embedded file.
#[derive(Debug)]
pub struct Asset {
    /// Name in the folder `assets`, e.g. `warifu.css`.
    pub name: &'static str,
    /// Value for `Content-Type`.
    pub mime: &'static str,
    /// The file as it is.
    pub bytes: &'static [u8],
    /// Address with the digest of the content, e.g. `/assets/warifu.0123456789abcdef.css`.
    pub url: String,
}

macro_rules! embed {
    ($($name:literal),+ $(,)?) => {
        [$(($name, include_bytes!(concat!("../../../assets/", $name)) as &'static [u8])),+]
    };
}

static ALL: LazyLock<Vec<Asset>> = LazyLock::new(|| {
    embed![
        "warifu.css",
        "icons.svg",
        "mark.svg",
        "device.js",
        "drafts.js",
        "keys.js",
        "live.js",
        "palette.js",
        "passkeys.js",
        "stepped-up.js",
        "progress.js",
        "reveal.js",
        "swap.js",
        "zone.js",
    ]
    .into_iter()
    .map(|(name, bytes)| {
        let (stem, extension) = name.rsplit_once('.').unwrap_or((name, ""));
        let mime = match extension {
            "css" => "text/css; charset=utf-8",
            "svg" => "image/svg+xml",
            "js" => "text/javascript; charset=utf-8",
            _ => "application/octet-stream",
        };
        let url = format!("/assets/{stem}.{:016x}.{extension}", fnv1a(bytes));
        Asset { name, mime, bytes, url }
    })
    .collect()
});

/// Every embedded file.
pub fn all() -> &'static [Asset] {
    &ALL
}

/// The file at an address as `Asset::url` gives it. `None` for another digest: a page that asks
/// for an old version must not get the new one under the old address, where it would be cached.
pub fn at(url: &str) -> Option<&'static Asset> {
    ALL.iter().find(|asset| asset.url == url)
}

/// Address of a file by its name; the bare path where no such file is embedded (which a test
/// over all pages would show).
pub fn url(name: &str) -> &'static str {
    ALL.iter().find(|asset| asset.name == name).map_or("/assets/", |asset| asset.url.as_str())
}

/// FNV-1a, 64 bit. It tells versions of our own files apart; it is no protection and need not
/// be, as the files come from the same binary.
fn fnv1a(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digest_is_fnv1a() {
        assert_eq!(fnv1a(b""), 0xcbf2_9ce4_8422_2325);
        assert_eq!(fnv1a(b"foobar"), 0x8594_4171_f739_67e8);
    }

    #[test]
    fn addresses_find_their_files_and_only_those() {
        for asset in all() {
            assert!(at(&asset.url).is_some_and(|found| found.name == asset.name));
            assert_ne!(asset.mime, "application/octet-stream", "{}", asset.name);
        }
        assert!(at("/assets/warifu.0000000000000000.css").is_none());
        assert!(at("/assets/warifu.css").is_none());
    }

    #[test]
    fn modules_stay_small() {
        for asset in all().iter().filter(|asset| asset.name.ends_with(".js")) {
            let lines = asset.bytes.iter().filter(|byte| **byte == b'\n').count();
            assert!(lines < 200, "{} has {lines} lines", asset.name);
        }
    }
}
