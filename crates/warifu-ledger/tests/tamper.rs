//! Whatever is changed in a log is found, and the first entry affected is named.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod sample;

use proptest::prelude::*;
use sample::{Files, Log, ORIGIN, entry, key, verify};
use warifu_ledger::export::VerifyError;
use warifu_ledger::{
    Entry, Finding, Kind, Resource, SigningKey, Verifier, What, body, decode_bundle, encode_bundle,
    leaf_hash, parse_path,
};

fn finding(files: &Files) -> Finding {
    match verify(files, &[key().verifying_key()]) {
        Err(VerifyError::Finding(finding)) => finding,
        other => panic!("not found: {other:?}"),
    }
}

/// Feeds a log as a store would, with no checkpoint.
fn feed(entries: &[Vec<u8>]) -> Result<warifu_ledger::Report, Finding> {
    let mut verifier = Verifier::new(ORIGIN);
    for (i, entry) in entries.iter().enumerate() {
        verifier.entry(i as u64, entry, &leaf_hash(entry))?;
    }
    verifier.finish()
}

#[test]
fn whole_logs_hold() {
    for size in [0, 1, 2, 255, 256, 257, 511, 512, 700] {
        let log = Log::of(size);
        let verified = verify(&log.files(), &[key().verifying_key()]).unwrap();
        assert_eq!((verified.report.size, verified.report.signed_size), (size, size));
        assert_eq!(verified.report.root, log.frontier.root());
        // Entries 0, 4, 8 … start a run that is ended two entries later.
        let open = matches!(size % 4, 1 | 2);
        assert_eq!(verified.report.open.len(), usize::from(open), "{size}");
        let unsigned = verify(&log.files(), &[]).unwrap();
        assert!(unsigned.signatures.is_none() && unsigned.report.signed_size == 0);
    }
}

#[test]
fn exactly_the_files_of_the_specification() {
    let paths: Vec<_> = Log::of(700).files().into_keys().collect();
    let expected = [
        "checkpoint",
        "tile/0/000",
        "tile/0/001",
        "tile/0/002.p/188",
        "tile/1/000.p/2",
        "tile/entries/000",
        "tile/entries/001",
        "tile/entries/002.p/188",
    ];
    assert_eq!(paths, expected);
    // The example in the specification: 70,000 entries.
    let all: Vec<_> = warifu_ledger::resources(70_000).map(|r| r.to_string()).collect();
    assert_eq!(all.len(), 274 * 2 + 2 + 1);
    for path in ["tile/0/273.p/112", "tile/1/000", "tile/1/001.p/17", "tile/2/000.p/1"] {
        assert!(all.iter().any(|p| p == path), "{path}");
    }
}

#[test]
fn missing_and_shortened_files() {
    let files = Log::of(700).files();
    for path in files.keys() {
        let mut less = files.clone();
        less.remove(path);
        assert_eq!(finding(&less).what, What::Missing(path.clone()));
        let mut short = files.clone();
        short.get_mut(path).unwrap().pop();
        let first = finding(&short).first;
        match parse_path(path).unwrap() {
            Resource::Entries(tile) => assert_eq!(first, tile.index * 256),
            Resource::Tile(tile) if tile.level == 0 => assert_eq!(first, tile.index * 256),
            _ => assert_eq!(first, 0),
        }
    }
}

#[test]
fn a_consistent_rewrite_is_caught_by_the_signature() {
    let mut log = Log::of(300);
    let old = log.checkpoint();
    let mut entries = std::mem::take(&mut log.entries);
    entries[17] = Entry::of(1_695_913_560_000_008, &body::SignOut { reason: None })
        .unwrap()
        .to_bytes()
        .unwrap()
        .into_vec();
    let mut forged = Log::default();
    entries.into_iter().for_each(|entry| forged.push(entry));
    let mut files = forged.files();
    files.insert("checkpoint".into(), old.into_bytes());
    assert_eq!(finding(&files).what, What::RootDiffers);
    // Signed by somebody else's key of the same name.
    let thief = SigningKey::from_seed(ORIGIN, &[1; 32]).unwrap();
    let head = warifu_ledger::Checkpoint::new(ORIGIN, 300, forged.frontier.root()).unwrap();
    files.insert("checkpoint".into(), head.sign(&thief).unwrap().into_bytes());
    assert!(matches!(finding(&files).what, What::Signature(_)));
}

#[test]
fn a_changed_entry_and_leaf_tile_is_caught_one_level_up() {
    let mut files = Log::of(600).files();
    let bundle = files["tile/entries/001"].clone();
    let mut entries: Vec<Vec<u8>> =
        decode_bundle(&bundle, 256).unwrap().into_iter().map(Vec::from).collect();
    entries[3] = entry(259 + 4 * 50).to_bytes().unwrap().into_vec();
    let at = |bytes: &[u8]| Entry::parse(bytes).unwrap().at;
    // Keep the time rule, so that only the hash can tell.
    let mut changed = Entry::parse(&entries[3]).unwrap();
    changed.at = at(&entries[2]);
    entries[3] = changed.to_bytes().unwrap().into_vec();
    files.insert(
        "tile/entries/001".into(),
        encode_bundle(entries.iter().map(Vec::as_slice)).unwrap(),
    );
    let tile = files.get_mut("tile/0/001").unwrap();
    tile[96..128].copy_from_slice(leaf_hash(&entries[3]).as_bytes());
    let found = finding(&files);
    assert_eq!((found.first, found.last), (256, 511));
    assert_eq!(found.what, What::TileDiffers { level: 1, index: 1 });
}

#[test]
fn rules_of_order() {
    let log = Log::of(8).entries;
    assert!(feed(&log).is_ok());
    let mut swapped = log.clone();
    swapped.swap(2, 5);
    assert!(matches!(
        feed(&swapped),
        Err(Finding { first: 3, what: What::TimeBackwards { .. }, .. })
    ));
    let mut no_start = log.clone();
    no_start.remove(4);
    let run = "run-1".to_owned();
    assert_eq!(
        feed(&no_start),
        Err(Finding { first: 5, last: 5, what: What::EndWithoutStart(run) })
    );
    let mut twice = log.clone();
    twice.insert(1, log[0].clone());
    assert!(matches!(feed(&twice), Err(Finding { first: 1, what: What::StartedTwice(_), .. })));
    let mut verifier = Verifier::new(ORIGIN);
    verifier.entry(0, &log[0], &leaf_hash(&log[0])).unwrap();
    let gap = verifier.entry(2, &log[2], &leaf_hash(&log[2])).unwrap_err();
    assert_eq!(gap, Finding { first: 1, last: 1, what: What::SequenceGap { found: 2 } });
    // The first finding stays.
    assert_eq!(verifier.entry(1, &log[1], &leaf_hash(&log[1])).unwrap_err(), gap);
    assert_eq!(verifier.finish(), Err(gap));
}

#[test]
fn kinds_of_a_later_version_are_counted_not_refused() {
    let future = br#"{"at":5,"body":{},"kind":"teleport","v":1}"#.to_vec();
    assert_eq!(feed(&[future]).unwrap().unknown_kinds, 1);
    let version = br#"{"at":5,"body":{},"kind":"match","v":2}"#.to_vec();
    assert!(matches!(feed(&[version]), Err(Finding { what: What::NotCanonical(_), .. })));
    assert_eq!(
        Kind::ALL.len(),
        Kind::ALL.iter().map(|k| k.as_str()).collect::<std::collections::BTreeSet<_>>().len()
    );
}

#[test]
fn checkpoints_on_the_way_and_truncation() {
    let (short, long) = (Log::of(300), Log::of(500));
    let keys = [key().verifying_key()];
    let mut verifier = Verifier::new(ORIGIN);
    for (i, entry) in long.entries.iter().enumerate() {
        if i == 300 {
            verifier.checkpoint(short.checkpoint().as_bytes(), &keys).unwrap();
        }
        for inner in verifier.entry(i as u64, entry, &long.hashes[0][i]).unwrap() {
            let found = long.hashes[usize::from(inner.level)].get(inner.index as usize);
            verifier.stored(&inner, found).unwrap();
        }
    }
    let mut other = verifier.clone();
    verifier.checkpoint(long.checkpoint().as_bytes(), &keys).unwrap();
    assert_eq!(verifier.frontier(), &long.frontier);
    assert_eq!(verifier.finish().unwrap().signed_size, 500);
    let ahead = Log::of(520).checkpoint();
    let found = other.checkpoint(ahead.as_bytes(), &keys).unwrap_err();
    assert_eq!(
        found,
        Finding { first: 500, last: 519, what: What::SizeDiffers { checkpoint: 520 } }
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(120))]
    #[test]
    fn any_flipped_bit_is_found(place in any::<prop::sample::Index>(), bit in 0u8..8) {
        thread_local!(static FILES: Files = Log::of(600).files());
        FILES.with(|good| {
            let total: usize = good.values().map(Vec::len).sum();
            let mut at = place.index(total);
            let mut files = good.clone();
            let (path, bytes) = files.iter_mut().find(|(_, bytes)| {
                if at < bytes.len() { true } else { at -= bytes.len(); false }
            }).unwrap();
            let path = path.clone();
            bytes[at] ^= 1 << bit;
            let found = finding(&files);
            match parse_path(&path).unwrap() {
                Resource::Checkpoint => prop_assert!(matches!(
                    found.what,
                    What::Signature(_)
                )),
                Resource::Tile(tile) => {
                    let span = 1u64 << (8 * u32::from(tile.level));
                    let first = (tile.index * 256 + at as u64 / 32) * span;
                    prop_assert_eq!(found.first, first);
                    prop_assert_eq!(found.last, first + span - 1);
                }
                Resource::Entries(tile) => {
                    // Which entry of the bundle the byte belongs to.
                    let (mut index, mut end) = (tile.index * 256, 0);
                    let mut in_length = false;
                    for entry in decode_bundle(&good[&path], tile.width).unwrap() {
                        in_length = at < end + 2;
                        end += 2 + entry.len();
                        if at < end { break }
                        index += 1;
                    }
                    // A changed length makes the whole bundle unreadable, as a rule.
                    if !in_length || found.what == What::HashDiffers {
                        prop_assert_eq!((found.first, found.last), (index, index));
                        prop_assert_eq!(&found.what, &What::HashDiffers);
                    } else {
                        prop_assert_eq!(found.first, tile.index * 256);
                    }
                }
            }
            Ok(())
        })?;
    }
}
