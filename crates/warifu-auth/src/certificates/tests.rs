use super::*;
use proptest::prelude::*;
use rcgen::{
    BasicConstraints, CertificateParams, CustomExtension, DnType,
    ExtendedKeyUsagePurpose as Purpose, IsCa, Issuer, KeyPair, KeyUsagePurpose,
};

const NOON: Timestamp = Timestamp(1_900_000_000_000_000);

fn authority() -> (Issuer<'static, KeyPair>, Trust) {
    let mut params = CertificateParams::default();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.distinguished_name.push(DnType::CommonName, "CA");
    let key = KeyPair::generate().unwrap();
    let certificate = params.self_signed(&key).unwrap();
    let anchor = webpki::anchor_from_trusted_cert(certificate.der()).unwrap().to_owned();
    (Issuer::new(params, key), Trust::new(vec![anchor], Vec::new(), Vec::new()))
}

fn person(
    ca: &Issuer<'static, KeyPair>,
    purposes: &[Purpose],
    usage: &[KeyUsagePurpose],
) -> Vec<u8> {
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::CommonName, "Agent\u{7} A");
    params.extended_key_usages = purposes.to_vec();
    params.key_usages = usage.to_vec();
    params.signed_by(&KeyPair::generate().unwrap(), ca).unwrap().der().to_vec()
}

#[test]
fn a_purpose_is_named_and_the_key_may_sign() {
    let (ca, trust) = authority();
    let judge = |purposes: &[Purpose], usage: &[KeyUsagePurpose]| {
        trust.judge(&[person(&ca, purposes, usage)], NOON).map(|held| held.subject)
    };
    let client = [Purpose::ClientAuth];
    let logon = [Purpose::Other(vec![1, 3, 6, 1, 4, 1, 311, 20, 2, 2])];
    assert_eq!(judge(&client, &[]).unwrap(), "CN=Agent A");
    assert!(judge(&logon, &[KeyUsagePurpose::DigitalSignature]).is_ok());
    for (purposes, usage) in [
        (&[][..], &[][..]),
        (&[Purpose::ServerAuth], &[]),
        (&[Purpose::Any], &[]),
        (&client, &[KeyUsagePurpose::KeyEncipherment]),
    ] {
        assert_eq!(judge(purposes, usage), Err(CertificateFault::Purpose), "{purposes:?}");
    }
}

#[test]
fn another_authority_of_the_same_name_does_not_count() {
    let ((_, trust), (other, _)) = (authority(), authority());
    let forged = person(&other, &[Purpose::ClientAuth], &[]);
    assert!(matches!(
        trust.judge(&[forged], NOON),
        Err(CertificateFault::UnknownIssuer | CertificateFault::NotVerified)
    ));
    assert_eq!(trust.judge(&[], NOON), Err(CertificateFault::Missing));
}

const PIV: &str = "2.16.840.1.101.3.2.1.3.13";
const OTHER: &str = "2.999.3";

/// The extension with policies (RFC 5280 §4.2.1.4), each by the content of its identifier.
fn policies(named: &[&[u8]]) -> CustomExtension {
    let one = |oid: &&[u8]| {
        let length = u8::try_from(oid.len()).unwrap();
        [&[0x30, length + 2, 6, length], *oid].concat()
    };
    let all = named.iter().flat_map(one).collect::<Vec<u8>>();
    let content = [&[0x30, u8::try_from(all.len()).unwrap()], all.as_slice()].concat();
    CustomExtension::from_oid_content(&[2, 5, 29, 32], content)
}

#[test]
fn identifiers_are_read_as_x_690_writes_them() {
    let read = |text: &str| PolicyOid::parse(text).map(|oid| format!("{oid:?}"));
    assert_eq!(read(PIV), Ok(format!("PolicyOid({PIV})")));
    assert_eq!(read("1.2.840.113549"), Ok("PolicyOid(1.2.840.113549)".to_owned()));
    assert_eq!(read("2.5.29.32.0"), Err(PolicyOidError::Any));
    for wrong in [
        "",
        "2",
        "2.",
        ".2",
        "3.1",
        "0.40",
        "1.2.x",
        "+1.2",
        "01.2",
        "1.-2",
        " 1.2",
        "1..2",
        "1.2 ",
        "1.18446744073709551616",
        "2.18446744073709551615",
        "id-piv",
        "１.２",
    ] {
        assert_eq!(read(wrong), Err(PolicyOidError::Format), "{wrong}");
    }
    assert_eq!(read(&format!("1.2{}", ".1".repeat(100))), Err(PolicyOidError::Format));
}

#[test]
fn a_demanded_policy_holds_along_the_whole_path() {
    let (root, trust) = authority();
    let [piv, other] = [PIV, OTHER].map(|text| PolicyOid::parse(text).unwrap());
    // Their identifiers as X.690 writes them, the standard's own example among them.
    const ANY: &[u8] = &[0x55, 0x1d, 0x20, 0];
    let p: &[u8] = &[0x60, 0x86, 0x48, 1, 0x65, 3, 2, 1, 3, 13];
    let o: &[u8] = &[0x88, 0x37, 3];
    let judge = |demanded: &[&PolicyOid], between: Option<&[&[u8]]>, own: Option<&[&[u8]]>| {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.distinguished_name.push(DnType::CommonName, "Between");
        params.custom_extensions = between.map(policies).into_iter().collect();
        let key = KeyPair::generate().unwrap();
        let middle = params.signed_by(&key, &root).unwrap().der().to_vec();
        let issuer = Issuer::new(params, key);
        let mut params = CertificateParams::default();
        params.extended_key_usages = vec![Purpose::ClientAuth];
        params.custom_extensions = own.map(policies).into_iter().collect();
        let own = params.signed_by(&KeyPair::generate().unwrap(), &issuer).unwrap();
        let demanded = demanded.iter().copied().cloned().collect();
        let trust = Trust::new(trust.anchors.clone(), Vec::new(), demanded);
        trust.judge(&[own.der().to_vec(), middle], NOON).map(drop)
    };
    for (demanded, between, own, holds) in [
        (&[][..], None, None, true),
        (&[], Some(&[o][..]), None, true),
        (&[&piv], Some(&[p]), Some(&[p][..]), true),
        (&[&piv], Some(&[ANY]), Some(&[o, p]), true),
        (&[&other, &piv], Some(&[p]), Some(&[p]), true),
        (&[&piv], None, Some(&[p]), false),
        (&[&piv], Some(&[o]), Some(&[p]), false),
        (&[&piv], Some(&[p]), Some(&[o]), false),
        (&[&piv], Some(&[p]), None, false),
        // One that is good for everything says nothing about a card.
        (&[&piv], Some(&[ANY]), Some(&[ANY]), false),
        // Each alone, but none along the path.
        (&[&piv, &other], Some(&[o]), Some(&[p]), false),
    ] {
        let expected = if holds { Ok(()) } else { Err(CertificateFault::Policy) };
        assert_eq!(judge(demanded, between, own), expected, "{demanded:?} {between:?} {own:?}");
    }
}

proptest! {
    #[test]
    fn identifiers_are_read_as_another_reader_reads_them(arcs in prop::collection::vec(any::<u64>(), 0..6), a in 0u64..2, b in 0u64..40) {
        let arcs: Vec<u64> = [a, b].into_iter().chain(arcs).collect();
        let text = arcs.iter().map(u64::to_string).collect::<Vec<_>>().join(".");
        let theirs = x509_parser::der_parser::oid::Oid::from(&arcs).unwrap();
        let ours = PolicyOid::parse(&text).unwrap();
        prop_assert_eq!(format!("{ours:?}"), format!("PolicyOid({theirs})"));
    }

    #[test]
    fn no_bytes_are_taken_for_a_certificate(chain in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..200), 0..4)) {
        let (_, trust) = authority();
        prop_assert!(trust.judge(&chain, NOON).is_err());
    }

    #[test]
    fn no_changed_byte_goes_unnoticed(at in 0usize..10_000, bit in 0u8..8) {
        let (ca, trust) = authority();
        let mut own = person(&ca, &[Purpose::ClientAuth], &[]);
        let at = at % own.len();
        own[at] ^= 1 << bit;
        prop_assert!(trust.judge(&[own], NOON).is_err());
    }
}
