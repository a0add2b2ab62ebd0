//! Agreement with other people's implementations: `tlog_tiles` and `signed_note` (Rust), and
//! golang.org/x/mod (Go), the last only with `WARIFU_PEERS=1`.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod sample;

use std::process::Command;

use proptest::prelude::*;
use sample::{Log, ORIGIN, key};
use signed_note::{Note as PeerNote, StandardSigner, StandardVerifier, VerifierList};
use tlog_tiles as peer;
use warifu_ledger::{
    Checkpoint, Note, Resource, SigningKey, Tile, VerifyingKey, consistency_proof, inclusion_proof,
    root_at, verify_consistency, verify_inclusion,
};

struct PeerStore(Vec<peer::Hash>);

impl peer::HashReader for PeerStore {
    fn read_hashes(&self, indexes: &[u64]) -> Result<Vec<peer::Hash>, peer::Error> {
        Ok(indexes.iter().map(|i| self.0[*i as usize]).collect())
    }
}

fn peer_store(log: &Log) -> PeerStore {
    let mut store = PeerStore(Vec::new());
    for (i, entry) in log.entries.iter().enumerate() {
        let hashes = peer::stored_hashes(i as u64, entry, &store).unwrap();
        store.0.extend(hashes);
    }
    store
}

#[test]
fn roots_and_proofs_are_the_same() {
    let log = Log::of(530);
    let store = peer_store(&log);
    let size = log.frontier.size();
    let root = log.frontier.root();
    let peer_root = peer::tree_hash(size, &store).unwrap();
    assert_eq!(peer_root.0, root.0);
    for index in (0..size).step_by(13).chain([255, 256, 511, 512, size - 1]) {
        let ours = inclusion_proof(index, size, |r| log.read(r)).unwrap();
        let theirs = peer::prove_record(size, index, &store).unwrap();
        assert_eq!(
            ours.iter().map(|h| h.0).collect::<Vec<_>>(),
            theirs.iter().map(|h| h.0).collect::<Vec<_>>()
        );
        let leaf = log.hashes[0][index as usize];
        peer::check_record(&theirs, size, peer_root, index, peer::Hash(leaf.0)).unwrap();
        verify_inclusion(&ours, index, &leaf, size, &root).unwrap();
    }
    for old in (1..=size).step_by(7).chain([256, 512]) {
        let ours = consistency_proof(old, size, |r| log.read(r)).unwrap();
        let theirs = peer::prove_tree(size, old, &store).unwrap();
        assert_eq!(
            ours.iter().map(|h| h.0).collect::<Vec<_>>(),
            theirs.iter().map(|h| h.0).collect::<Vec<_>>(),
            "{old}"
        );
        let old_root = root_at(old, |r| log.read(r)).unwrap();
        assert_eq!(peer::tree_hash(old, &store).unwrap().0, old_root.0);
        verify_consistency(&ours, old, &old_root, size, &root).unwrap();
    }
}

#[test]
fn notes_and_keys_go_both_ways() {
    let ours = key();
    let (skey, vkey) = (ours.to_text(), ours.verifying_key().to_string());
    let signer = StandardSigner::new(&skey).unwrap();
    let verifier = StandardVerifier::new(&vkey).unwrap();
    let log = Log::of(3);
    let signed = log.checkpoint();
    let theirs = PeerNote::from_bytes(signed.as_bytes()).unwrap();
    let (verified, _) = theirs.verify(&VerifierList::new(vec![Box::new(verifier)])).unwrap();
    assert_eq!(verified.len(), 1);
    let peer_head = peer::Checkpoint::from_bytes(theirs.text()).unwrap();
    assert_eq!((peer_head.origin(), peer_head.size()), (ORIGIN, 3));
    assert_eq!(peer_head.hash().0, log.frontier.root().0);
    // The other way round; Ed25519 is deterministic, so even the bytes agree.
    let mut note = PeerNote::new(theirs.text(), &[]).unwrap();
    note.add_sigs(&[&signer]).unwrap();
    assert_eq!(note.to_bytes(), signed.as_bytes());
    Checkpoint::verify(&note.to_bytes(), &[ours.verifying_key()]).unwrap();
}

proptest! {
    #[test]
    fn note_parsers_agree(place in any::<prop::sample::Index>(), put in "[ -~é\n]{0,2}", drop in 0usize..3) {
        let good: Vec<char> = Log::of(1).checkpoint().chars().collect();
        let at = place.index(good.len());
        let tail = good.iter().skip(at + drop);
        let text: String = good[..at].iter().copied().chain(put.chars()).chain(tail.copied()).collect();
        let ours = Note::parse(text.as_bytes());
        let theirs = PeerNote::from_bytes(text.as_bytes());
        prop_assert_eq!(ours.is_ok(), theirs.is_ok(), "{:?}", text);
        if let Ok(note) = ours {
            prop_assert_eq!(note.to_string().into_bytes(), theirs.unwrap().to_bytes());
        }
    }

    #[test]
    fn tile_paths_agree(level in 0u8..7, index in 0u64..(1 << 45), width in 1u16..=256) {
        let path = Resource::Tile(Tile { level, index, width }).to_string();
        let theirs = peer::Tile::new(8, level, index, width.into(), false).path();
        // That crate writes the height into the path, as Go does.
        prop_assert_eq!(path.strip_prefix("tile/"), theirs.strip_prefix("tile/8/"));
    }
}

fn go() -> Command {
    let mut command = Command::new("go");
    command.env("GO111MODULE", "off").env("GOPATH", "/usr/share/gocode").env("GOFLAGS", "");
    command
}

#[test]
fn go_examiner_agrees() {
    if std::env::var_os("WARIFU_PEERS").is_none_or(|value| value != "1") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let program = folder.path().join("examiner");
    let source = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/go/main.go");
    let build = go()
        .args(["build", "-o"])
        .arg(&program)
        .arg(source)
        .env("GOCACHE", folder.path().join("cache"))
        .output()
        .expect("WARIFU_PEERS=1 needs Go (Debian: golang-go golang-golang-x-mod-dev)");
    assert!(build.status.success(), "{}", String::from_utf8_lossy(&build.stderr));
    for size in [1, 256, 257, 777] {
        let log = Log::of(size);
        let root = folder.path().join(size.to_string());
        for (path, bytes) in log.files() {
            let file = root.join(path);
            std::fs::create_dir_all(file.parent().unwrap()).unwrap();
            std::fs::write(file, bytes).unwrap();
        }
        let examine = || {
            let vkey = key().verifying_key().to_string();
            Command::new(&program).arg(&root).arg(vkey).output().unwrap()
        };
        let output = examine();
        let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "{stderr}");
        let list = |proof: Vec<warifu_ledger::Hash>| {
            proof.iter().map(|h| h.to_base64()).collect::<Vec<_>>().join(" ")
        };
        // What it computed by itself is what this crate computes.
        let mut expected = String::new();
        for index in (0..size).filter(|i| i % 37 == 0 || i + 1 == size) {
            let proof = list(inclusion_proof(index, size, |r| log.read(r)).unwrap());
            let leaf = log.hashes[0][index as usize].to_base64();
            expected += &format!("inclusion {index} {leaf} [{proof}]\n");
        }
        for old in (1..=size).step_by(61) {
            let proof = list(consistency_proof(old, size, |r| log.read(r)).unwrap());
            let root = root_at(old, |r| log.read(r)).unwrap().to_base64();
            expected += &format!("consistency {old} {root} [{proof}]\n");
        }
        expected += &format!("OK {size} {}\n", log.frontier.root().to_base64());
        assert_eq!(String::from_utf8_lossy(&output.stdout), expected);
        // And it can say no.
        let bundle = root.join(warifu_ledger::bundle_path(0, size.min(256) as u16));
        let mut bytes = std::fs::read(&bundle).unwrap();
        bytes[10] ^= 1;
        std::fs::write(&bundle, bytes).unwrap();
        assert!(!examine().status.success());
    }
}

#[test]
fn key_texts_of_the_go_documentation() {
    // From the documentation of golang.org/x/mod/sumdb/note.
    let vkey = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";
    let skey = "PRIVATE+KEY+PeterNeumann+c74f20a3+AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz";
    let note = "If you think cryptography is the answer to your problem,\n\
        then you don't know what your problem is.\n\n\
        — PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n";
    let key = SigningKey::from_text(skey).unwrap();
    assert_eq!(key.to_text(), skey);
    assert_eq!(key.verifying_key().to_string(), vkey);
    let parsed = Note::parse(note.as_bytes()).unwrap();
    parsed.verify(&[vkey.parse::<VerifyingKey>().unwrap()]).unwrap();
    assert_eq!(key.sign(&parsed.text).unwrap(), parsed.signatures[0]);
    assert_eq!(parsed.to_string(), note);
}
