//! The tree against RFC 6962 vectors and its own definition.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use proptest::prelude::*;
use warifu_ledger::{
    Frontier, Hash, HashRange, StoredHash, consistency_proof, inclusion_proof, leaf_hash,
    node_hash, root_at, sha256, verify_consistency, verify_inclusion,
};

/// Stored hashes by level, as a database would keep them.
#[derive(Default)]
struct Store(Vec<Vec<Hash>>);

impl Store {
    fn put(&mut self, stored: &[StoredHash]) {
        for hash in stored {
            let level = usize::from(hash.level);
            if self.0.len() <= level {
                self.0.resize(level + 1, Vec::new());
            }
            assert_eq!(self.0[level].len() as u64, hash.index);
            self.0[level].push(hash.hash);
        }
    }

    fn read(&self, range: HashRange) -> Result<Vec<Hash>, String> {
        assert!(range.count <= 128);
        let start = usize::try_from(range.start).unwrap();
        let level = self.0.get(usize::from(range.level)).ok_or("no such level")?;
        let hashes = level.get(start..start + usize::from(range.count)).ok_or("out of range")?;
        Ok(hashes.to_vec())
    }
}

fn build(leaves: &[Hash]) -> (Frontier, Store) {
    let (mut frontier, mut store) = (Frontier::default(), Store::default());
    for leaf in leaves {
        store.put(&frontier.push(*leaf).unwrap());
    }
    (frontier, store)
}

/// MTH of RFC 6962 section 2.1, word for word.
fn mth(leaves: &[Hash]) -> Hash {
    match leaves.len() {
        0 => sha256(b""),
        1 => leaves[0],
        n => {
            let k = n.next_power_of_two() / 2;
            node_hash(&mth(&leaves[..k]), &mth(&leaves[k..]))
        }
    }
}

fn leaves(n: u64) -> Vec<Hash> {
    (0..n).map(|i| leaf_hash(&i.to_be_bytes())).collect()
}

/// The test vectors of Google's certificate-transparency reference implementation.
#[test]
fn reference_roots() {
    let inputs: [&[u8]; 8] = [
        b"",
        &[0x00],
        &[0x10],
        &[0x20, 0x21],
        &[0x30, 0x31],
        &[0x40, 0x41, 0x42, 0x43],
        &[0x50, 0x51, 0x52, 0x53, 0x54, 0x55, 0x56, 0x57],
        &[
            0x60, 0x61, 0x62, 0x63, 0x64, 0x65, 0x66, 0x67, 0x68, 0x69, 0x6a, 0x6b, 0x6c, 0x6d,
            0x6e, 0x6f,
        ],
    ];
    let roots = [
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
        "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
        "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
        "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
        "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
        "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
        "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
    ];
    let mut frontier = Frontier::default();
    assert_eq!(frontier.root().to_string(), roots[0]);
    for (input, root) in inputs.iter().zip(&roots[1..]) {
        frontier.push(leaf_hash(input)).unwrap();
        assert_eq!(frontier.root().to_string(), *root);
    }
}

#[test]
fn roots_at_every_size_across_tile_borders() {
    let leaves = leaves(700);
    let (_, store) = build(&leaves);
    let mut frontier = Frontier::default();
    for size in 0..=leaves.len() {
        let expected = mth(&leaves[..size]);
        assert_eq!(frontier.root(), expected, "size {size}");
        assert_eq!(root_at(size as u64, |r| store.read(r)).unwrap(), expected);
        let stored = Frontier::from_bytes(&frontier.to_bytes()).unwrap();
        assert_eq!(stored, frontier);
        if let Some(leaf) = leaves.get(size) {
            frontier.push(*leaf).unwrap();
        }
    }
}

#[test]
fn level_two_is_reached() {
    let leaves = leaves(65_537 + 300);
    let (frontier, store) = build(&leaves);
    assert_eq!(store.0.len(), 3);
    assert_eq!(store.0[2].len(), 1);
    assert_eq!(store.0[2][0], mth(&leaves[..65_536]));
    let (size, root) = (frontier.size(), frontier.root());
    assert_eq!(root, mth(&leaves));
    for index in [0, 255, 256, 65_535, 65_536, size - 1] {
        let proof = inclusion_proof(index, size, |r| store.read(r)).unwrap();
        verify_inclusion(&proof, index, &leaves[index as usize], size, &root).unwrap();
    }
    for old in [1, 256, 65_535, 65_536, 65_537, size] {
        let old_root = root_at(old, |r| store.read(r)).unwrap();
        let proof = consistency_proof(old, size, |r| store.read(r)).unwrap();
        verify_consistency(&proof, old, &old_root, size, &root).unwrap();
    }
}

#[test]
fn every_proof_of_small_trees() {
    let leaves = leaves(40);
    let (_, store) = build(&leaves);
    let roots: Vec<_> = (0..=leaves.len()).map(|n| mth(&leaves[..n])).collect();
    let other = sha256(b"other");
    for size in 1..=leaves.len() as u64 {
        let root = roots[size as usize];
        for index in 0..size {
            let proof = inclusion_proof(index, size, |r| store.read(r)).unwrap();
            let leaf = leaves[index as usize];
            verify_inclusion(&proof, index, &leaf, size, &root).unwrap();
            assert!(verify_inclusion(&proof, index, &other, size, &root).is_err());
            assert!(verify_inclusion(&proof, index, &leaf, size, &other).is_err());
            for wrong in (0..=size).filter(|wrong| *wrong != index) {
                assert!(verify_inclusion(&proof, wrong, &leaf, size, &root).is_err());
            }
            for i in 0..proof.len() {
                let mut bad = proof.clone();
                bad[i] = other;
                assert!(verify_inclusion(&bad, index, &leaf, size, &root).is_err());
                bad.remove(i);
                assert!(verify_inclusion(&bad, index, &leaf, size, &root).is_err());
            }
        }
        for old in 0..=size {
            let proof = consistency_proof(old, size, |r| store.read(r)).unwrap();
            let old_root = roots[old as usize];
            verify_consistency(&proof, old, &old_root, size, &root).unwrap();
            assert!(verify_consistency(&proof, old, &other, size, &root).is_err());
            if old > 0 {
                assert!(verify_consistency(&proof, old, &old_root, size, &other).is_err());
            }
            let mut long = proof.clone();
            long.push(other);
            assert!(verify_consistency(&long, old, &old_root, size, &root).is_err());
            for i in 0..proof.len() {
                let mut bad = proof.clone();
                bad[i] = other;
                assert!(verify_consistency(&bad, old, &old_root, size, &root).is_err());
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(80))]
    #[test]
    fn consistency_between_any_two_sizes(sizes in (0u64..1500, 0u64..1500)) {
        let (old, new) = (sizes.0.min(sizes.1), sizes.0.max(sizes.1));
        let leaves = leaves(new);
        let (frontier, store) = build(&leaves);
        let old_root = mth(&leaves[..old as usize]);
        let proof = consistency_proof(old, new, |r| store.read(r)).unwrap();
        verify_consistency(&proof, old, &old_root, new, &frontier.root()).unwrap();
        prop_assert!(consistency_proof(new + 1, new, |r| store.read(r)).is_err());
    }

    #[test]
    fn frontier_bytes_are_never_a_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        if let Ok(mut frontier) = Frontier::from_bytes(&bytes) {
            prop_assert_eq!(frontier.to_bytes(), bytes);
            let _ = frontier.push(sha256(b"x"));
        }
    }

    #[test]
    fn frontier_of_any_size_takes_a_push(size in 0u64..=(1 << 53)) {
        let mut bytes = vec![1];
        bytes.extend_from_slice(&size.to_be_bytes());
        bytes.extend(std::iter::repeat_n(7, 32 * size.count_ones() as usize));
        let mut frontier = Frontier::from_bytes(&bytes).unwrap();
        let _ = frontier.root();
        if size < 1 << 53 {
            frontier.push(sha256(b"x")).unwrap();
            prop_assert_eq!(frontier.size(), size + 1);
            prop_assert_eq!(Frontier::from_bytes(&frontier.to_bytes()).unwrap(), frontier);
        } else {
            prop_assert!(frontier.push(sha256(b"x")).is_err());
        }
        bytes.push(0);
        prop_assert!(Frontier::from_bytes(&bytes).is_err());
    }

    #[test]
    fn proof_checkers_never_panic(
        numbers in (any::<u64>(), any::<u64>()),
        proof in prop::collection::vec(any::<[u8; 32]>(), 0..70),
    ) {
        let proof: Vec<_> = proof.into_iter().map(Hash).collect();
        let hash = sha256(b"x");
        let _ = verify_inclusion(&proof, numbers.0, &hash, numbers.1, &hash);
        if numbers.0 != numbers.1 {
            prop_assert!(verify_consistency(&proof, numbers.0, &hash, numbers.1, &hash).is_err());
        }
    }
}
