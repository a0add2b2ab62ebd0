//! Every parser: round trips, vectors, refusals, and noise.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod sample;

use proptest::prelude::*;
use sample::{Log, ORIGIN, entry, key};
use serde_json::{Value, json};
use warifu_ledger::json::{JsonError, canonical, parse_canonical};
use warifu_ledger::{
    Checkpoint, CheckpointError, Count, Entry, EntryError, Frontier, Hash, KeyError, Kind, Note,
    NoteError, Resource, RowKey, RowsCommitment, SigningKey, Tile, VerifyingKey, body,
    decode_bundle, decode_tile, encode_bundle, encode_tile, inclusion_proof, parse_path, sha256,
};

/// RFC 8785 sections 3.2.2 to 3.2.4, without the fractions, which are refused.
#[test]
fn jcs_vectors() {
    let input: Value = serde_json::from_str(
        r#"{"numbers":[333333333],"string":"\u20ac$\u000F\u000aA'\u0042\u0022\u005c\\\"\/","literals":[null,true,false]}"#,
    )
    .unwrap();
    let expected = "{\"literals\":[null,true,false],\"numbers\":[333333333],\"string\":\"€$\\u000f\\nA'B\\\"\\\\\\\\\\\"/\"}";
    assert_eq!(String::from_utf8(canonical(&input).unwrap()).unwrap(), expected);
    // Section 3.2.3: sorting by UTF-16 code units.
    let input: Value = serde_json::from_str(
        r#"{"\u20ac":"Euro Sign","\r":"Carriage Return","\ufb33":"Hebrew Letter Dalet With Dagesh","1":"One","\ud83d\ude00":"Emoji: Grinning Face","\u0080":"Control","\u00f6":"Latin Small Letter O With Diaeresis"}"#,
    )
    .unwrap();
    let bytes = canonical(&input).unwrap();
    let text = String::from_utf8(bytes).unwrap();
    let places: Vec<_> = ["Carriage", "One", "Control", "Latin", "Euro", "Emoji", "Hebrew"]
        .iter()
        .map(|word| text.find(word).unwrap())
        .collect();
    assert!(places.is_sorted(), "{text}");
}

/// Appendix B of RFC 8785 has doubles; all but the integers are refused rather than printed.
#[test]
fn numbers_that_two_readers_could_disagree_about_are_refused() {
    for text in [
        "0.0",
        "-0",
        "-0.0",
        "5e-324",
        "1.5",
        "1e3",
        "9007199254740992",
        "-9007199254740992",
        "1e23",
        "18446744073709551615",
    ] {
        let value: Value = serde_json::from_str(text).unwrap();
        assert!(matches!(canonical(&value), Err(JsonError::Number(_))), "{text}");
    }
    for n in [0, -1, 9_007_199_254_740_991_i64, -9_007_199_254_740_991] {
        assert_eq!(canonical(&json!(n)).unwrap(), n.to_string().into_bytes());
    }
    let big = serde_json::to_value(Count(u64::MAX)).unwrap();
    assert_eq!(canonical(&big).unwrap(), b"\"18446744073709551615\"");
    for bad in ["\"01\"", "\"+1\"", "\"\"", "1", "\"18446744073709551616\""] {
        assert!(serde_json::from_str::<Count>(bad).is_err(), "{bad}");
    }
}

#[test]
fn other_spellings_are_refused() {
    for text in [
        r#"{"a":1 }"#,
        r#"{"b":1,"a":2}"#,
        r#"{"a":1,"a":1}"#,
        r#""\u0041""#,
        r#""\/""#,
        r#""\u000A""#,
        "[1,]",
        "1 2",
        "",
    ] {
        assert!(parse_canonical(text.as_bytes()).is_err(), "{text}");
    }
    let mut deep = json!(1);
    for _ in 0..64 {
        deep = json!([deep]);
    }
    assert!(canonical(&deep).is_ok());
    assert!(matches!(canonical(&json!([deep])), Err(JsonError::Depth)));
}

#[test]
fn entries_round_trip_and_have_one_form() {
    for i in 0..8 {
        let entry = entry(i);
        let bytes = entry.to_bytes().unwrap();
        let parsed = Entry::parse(bytes.as_slice()).unwrap();
        assert_eq!(parsed, entry);
        assert_eq!(parsed.to_bytes().unwrap(), bytes);
    }
    let start = entry(0).body_as::<body::ReportStart>().unwrap();
    assert_eq!(start.columns.len(), 3);
    assert!(matches!(entry(1).body_as::<body::ReportStart>(), Err(EntryError::Body(..))));
    let text = br#"{"at":5,"body":{"reason":null},"kind":"sign_out","v":1}"#;
    let entry = Entry::of(5, &body::SignOut { reason: None }).unwrap();
    assert_eq!(entry.to_bytes().unwrap().as_slice(), text);
    for bad in [
        r#"{"actor":null,"at":5,"body":{},"kind":"sign_out","v":1}"#,
        r#"{"at":5,"body":{},"extra":1,"kind":"sign_out","v":1}"#,
        r#"{"at":5,"body":[],"kind":"sign_out","v":1}"#,
        r#"{"at":-5,"body":{},"kind":"sign_out","v":1}"#,
        r#"{"at":5,"body":{},"kind":"nonsense","v":1}"#,
        r#"{"at":5,"body":{},"kind":"sign_out","v":2}"#,
        r#"{"body":{},"kind":"sign_out","v":1}"#,
    ] {
        assert!(Entry::parse(bad.as_bytes()).is_err(), "{bad}");
    }
    for kind in Kind::ALL {
        assert_eq!(kind.as_str().parse::<Kind>().unwrap(), *kind);
    }
}

#[test]
fn entries_stay_below_64_kib() {
    let of = |length: usize| Entry::new(Kind::Match, 0, json!({"x": "a".repeat(length)}));
    let overhead = of(0).to_bytes().unwrap().as_slice().len();
    let longest = of(65_535 - overhead).to_bytes().unwrap();
    assert_eq!(longest.as_slice().len(), 65_535);
    let bundle = encode_bundle([longest.as_slice()]).unwrap();
    assert_eq!(decode_bundle(&bundle, 1).unwrap(), [longest.as_slice()]);
    assert!(matches!(of(65_536 - overhead).to_bytes(), Err(EntryError::TooLong(65_536))));
    assert!(encode_bundle([[0; 65_536].as_slice()]).is_err());
}

#[test]
fn checkpoints_of_others_are_refused() {
    let log = Log::of(2);
    let own = key().verifying_key();
    let signed = log.checkpoint();
    assert_eq!(
        Checkpoint::verify(signed.as_bytes(), std::slice::from_ref(&own)).unwrap().unknown,
        0
    );
    let stranger = SigningKey::from_seed("other.example", &[9; 32]).unwrap();
    let head = Checkpoint::new(ORIGIN, 2, log.frontier.root()).unwrap();
    assert!(matches!(head.sign(&stranger), Err(CheckpointError::Key(_))));
    // A known key of another name signs for this origin.
    let text = head.to_string();
    let forged = Note { signatures: vec![stranger.sign(&text).unwrap()], text }.to_string();
    let keys = [own.clone(), stranger.verifying_key()];
    assert!(matches!(
        Checkpoint::verify(forged.as_bytes(), &keys),
        Err(CheckpointError::NotByLog(_))
    ));
    assert_eq!(
        Checkpoint::verify(forged.as_bytes(), &[own]),
        Err(CheckpointError::Note(NoteError::Unsigned))
    );
    assert_eq!(key().sign("x").map(|s| s.bytes.len()), Some(64));
    assert!(!format!("{:?}", key()).contains(&key().to_text()[30..]));
}

#[test]
fn witnesses_are_kept_and_checked() {
    let witness = SigningKey::witness_from_seed("witness.example/w1", &[3; 32]).unwrap();
    let text = witness.verifying_key().to_string();
    assert_eq!(text.parse::<VerifyingKey>().unwrap(), witness.verifying_key());
    assert_eq!(SigningKey::from_text(&witness.to_text()).unwrap().to_text(), witness.to_text());
    let log = Log::of(2);
    let mut note = Note::parse(log.checkpoint().as_bytes()).unwrap();
    assert!(witness.sign(&note.text).is_none() && key().cosign(&note.text, 1).is_none());
    assert!(witness.cosign(&note.text, u64::MAX).is_none());
    note.signatures.push(witness.cosign(&note.text, 1_700_000_000).unwrap());
    let keys = [key().verifying_key(), witness.verifying_key()];
    let opened = Checkpoint::verify(note.to_string().as_bytes(), &keys).unwrap();
    assert_eq!(opened.witnesses[0].witnessed_at, Some(1_700_000_000));
    let opened = Checkpoint::verify(note.to_string().as_bytes(), &keys[..1]).unwrap();
    assert_eq!((opened.witnesses.len(), opened.unknown), (0, 1));
    // The witness alone does not make it the log's.
    assert!(Checkpoint::verify(note.to_string().as_bytes(), &keys[1..]).is_err());
    // Another time is another signature.
    note.signatures[1].bytes[7] ^= 1;
    assert!(matches!(
        Checkpoint::verify(note.to_string().as_bytes(), &keys),
        Err(CheckpointError::Note(NoteError::Invalid(_)))
    ));
}

/// The example in tlog-cosignature: its layout, and the text form of the spec's own checkpoint.
#[test]
fn the_specification_s_example_parses() {
    let note = "example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n\n— example.com/behind-the-sofa Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=\n— witness.example.com/w1 jWbPPwAAAABkGFDLEZMHwSRaJNiIDoe9DYn/zXcrtPHeolMI5OWXEhZCB9dlrDJsX3b2oyin1nPZqhf5nNo0xUe+mbIUBkBIfZ+qnA==\n";
    let parsed = Note::parse(note.as_bytes()).unwrap();
    assert_eq!(parsed.to_string(), note);
    let head = Checkpoint::parse(&parsed.text).unwrap();
    assert_eq!((head.origin.as_str(), head.size), ("example.com/behind-the-sofa", 20_852_163));
    assert_eq!(parsed.signatures[1].bytes.len(), 72);
}

#[test]
fn bad_checkpoints_and_keys() {
    let root = sha256(b"").to_base64();
    let body = |origin: &str, size: &str| format!("{origin}\n{size}\n{root}\n");
    assert!(Checkpoint::parse(&body("a", "0")).is_ok());
    assert!(Checkpoint::parse(&(body("a", "0") + "extension\n")).is_ok());
    for bad in [
        body("", "0"),
        body("a", "01"),
        body("a", "+1"),
        body("a", "-1"),
        body("a", ""),
        body("a", "18446744073709551616"),
        body("a", "0") + "\n",
        body("a", "0") + "x",
        "a\n0\n".into(),
    ] {
        assert_eq!(Checkpoint::parse(&bad), Err(CheckpointError::Format), "{bad:?}");
    }
    for name in ["", "a b", "a+b", "a\nb", "a\u{3000}b"] {
        assert_eq!(SigningKey::from_seed(name, &[0; 32]).err(), Some(KeyError::Name));
    }
    let good = key().verifying_key().to_string();
    let wrong_id = good.replacen('+', "+0", 1);
    assert!(wrong_id.parse::<VerifyingKey>().is_err());
    assert_eq!(good.replace("support", "suppport").parse::<VerifyingKey>(), Err(KeyError::Id));
    assert_eq!(SigningKey::from_text(&good).err(), Some(KeyError::Format));
}

#[test]
fn paths() {
    for (path, tile) in [
        ("tile/3/x001/x234/067.p/1", Tile { level: 3, index: 1_234_067, width: 1 }),
        ("tile/63/000", Tile { level: 63, index: 0, width: 256 }),
    ] {
        assert_eq!(parse_path(path), Ok(Resource::Tile(tile)));
        assert_eq!(Resource::Tile(tile).to_string(), path);
    }
    assert_eq!(
        parse_path("tile/entries/x001/234.p/255"),
        Ok(Resource::Entries(Tile { level: 0, index: 1234, width: 255 }))
    );
    for bad in [
        "",
        "tile",
        "tile/0",
        "tile/0/",
        "tile/0/00",
        "tile/0/0000",
        "tile/00/000",
        "tile/+1/000",
        "tile/64/000",
        "tile/0/000.p/0",
        "tile/0/000.p/256",
        "tile/0/000.p/01",
        "tile/0/x000/000",
        "tile/0/001/234",
        "tile/0/x001/x234",
        "tile/0/000/",
        "/tile/0/000",
        "tile/data/000",
        "tile/0/x999/x999/x999/x999/x999/x999/x999/999",
        "tile/0/../checkpoint",
        "checkpoint/",
    ] {
        assert!(parse_path(bad).is_err(), "{bad}");
    }
}

#[test]
fn one_row_can_be_shown_without_the_others() {
    let secret = [5; 32];
    let key = RowKey::derive(&secret, "run-1");
    let mut rows = RowsCommitment::new(key.clone());
    let (mut tree, mut leaves) = (Frontier::default(), Vec::new());
    for i in 0..200_u32 {
        rows.push(&i.to_be_bytes()).unwrap();
        let leaf = key.open(&i.to_be_bytes()).leaf();
        leaves.push(leaf);
        tree.push(leaf).unwrap();
    }
    assert_eq!((rows.rows(), rows.root()), (200, tree.root()));
    let proof = inclusion_proof(77, 200, |r| {
        let start = r.start as usize;
        Ok::<_, ()>(leaves[start..start + usize::from(r.count)].to_vec())
    })
    .unwrap();
    let mut opening = key.open(&77_u32.to_be_bytes());
    opening.verify(&proof, 77, 200, &rows.root()).unwrap();
    opening.id = 78_u32.to_be_bytes().into();
    assert!(opening.verify(&proof, 77, 200, &rows.root()).is_err());
    // Another run over the same rows cannot be linked; another order shows.
    let mut other = RowsCommitment::new(RowKey::derive(&secret, "run-2"));
    let mut reversed = RowsCommitment::new(key);
    for i in 0..200_u32 {
        other.push(&i.to_be_bytes()).unwrap();
        reversed.push(&(199 - i).to_be_bytes()).unwrap();
    }
    assert_ne!(other.root(), rows.root());
    assert_ne!(reversed.root(), rows.root());
}

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        (-9_007_199_254_740_991_i64..=9_007_199_254_740_991).prop_map(Value::from),
        any::<String>().prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 40, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            prop::collection::btree_map(any::<String>(), inner, 0..6)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn canonical_form_agrees_with_another_implementation(value in any_json()) {
        let bytes = canonical(&value).unwrap();
        prop_assert_eq!(&bytes, &serde_json_canonicalizer::to_vec(&value).unwrap());
        prop_assert_eq!(parse_canonical(&bytes).unwrap(), value);
    }

    #[test]
    fn entries_of_any_body_round_trip(value in any_json(), at in 0i64..(1 << 53)) {
        let entry = Entry::new(Kind::CaseChange, at, json!({"x": value}));
        if let Ok(bytes) = entry.to_bytes() {
            prop_assert_eq!(Entry::parse(bytes.as_slice()).unwrap(), entry);
        }
    }

    #[test]
    fn damaged_entries_never_panic_nor_have_two_forms(place in any::<prop::sample::Index>(), byte: u8) {
        let mut bytes = entry(2).to_bytes().unwrap().into_vec();
        let at = place.index(bytes.len());
        bytes[at] = byte;
        if let Ok(entry) = Entry::parse(&bytes) {
            prop_assert_eq!(entry.to_bytes().unwrap().into_vec(), bytes);
        }
    }

    #[test]
    fn noise_never_panics(bytes in prop::collection::vec(any::<u8>(), 0..300), width in 0u16..300) {
        let _ = Entry::parse(&bytes);
        let _ = Note::parse(&bytes);
        let _ = Checkpoint::verify(&bytes, &[key().verifying_key()]);
        if let Ok(entries) = decode_bundle(&bytes, width) {
            prop_assert_eq!(encode_bundle(entries).unwrap(), bytes.clone());
        }
        if let Ok(hashes) = decode_tile(&bytes, width) {
            prop_assert_eq!(encode_tile(&hashes), bytes.clone());
        }
        let text = String::from_utf8_lossy(&bytes);
        let _ = (parse_path(&text), text.parse::<VerifyingKey>(), text.parse::<Hash>());
        let _ = (SigningKey::from_text(&text), Checkpoint::parse(&text), Hash::from_base64(&text));
    }

    #[test]
    fn near_notes(text in "(a|\n|é|— a [A-Za-z0-9+/=]{4,12}\n|\u{3000}){0,12}") {
        if let Ok(note) = Note::parse(text.as_bytes()) {
            prop_assert_eq!(note.to_string(), text);
        }
    }

    #[test]
    fn near_checkpoints(text in "[a-z +]{0,3}\n[0-9+]{0,4}\n(47DEQpj8HBSa\\+/TImW\\+5JCeuQeRkm5NMpJWZG3hSuFU=)?\n(x\n|\n){0,2}") {
        if let Ok(head) = Checkpoint::parse(&text) {
            prop_assert_eq!(head.to_string(), text);
        }
    }

    #[test]
    fn near_paths(text in "tile/(entries|[0-9]{1,2})(/x?[0-9]{3}){1,3}(\\.p/[0-9]{1,3})?") {
        if let Ok(resource) = parse_path(&text) {
            prop_assert_eq!(resource.to_string(), text);
        }
    }

    #[test]
    fn bundles_round_trip(entries in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..50), 0..256)) {
        let bytes = encode_bundle(entries.iter().map(Vec::as_slice)).unwrap();
        let width = entries.len() as u16;
        prop_assert_eq!(decode_bundle(&bytes, width).unwrap(), entries);
        prop_assert!(decode_bundle(&bytes, width + 1).is_err());
        if !bytes.is_empty() {
            prop_assert!(decode_bundle(&bytes[..bytes.len() - 1], width).is_err());
        }
    }

    #[test]
    fn hashes_and_keys_round_trip(bytes: [u8; 32], name in "[a-z./é-]{1,20}") {
        let hash = Hash(bytes);
        prop_assert_eq!(hash.to_string().parse::<Hash>().unwrap(), hash);
        prop_assert_eq!(Hash::from_base64(&hash.to_base64()).unwrap(), hash);
        let key = SigningKey::from_seed(&name, &bytes).unwrap();
        prop_assert_eq!(SigningKey::from_text(&key.to_text()).unwrap().to_text(), key.to_text());
        let public = key.verifying_key();
        prop_assert_eq!(public.to_string().parse::<VerifyingKey>().unwrap(), public);
    }
}
