use super::*;
use proptest::prelude::*;
use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose as Purpose, IsCa, Issuer,
    KeyPair, KeyUsagePurpose,
};

const NOON: Timestamp = Timestamp(1_900_000_000_000_000);

fn authority() -> (Issuer<'static, KeyPair>, Trust) {
    let mut params = CertificateParams::default();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.distinguished_name.push(DnType::CommonName, "CA");
    let key = KeyPair::generate().unwrap();
    let certificate = params.self_signed(&key).unwrap();
    let anchor = webpki::anchor_from_trusted_cert(certificate.der()).unwrap().to_owned();
    (Issuer::new(params, key), Trust::new(vec![anchor], Vec::new()))
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

proptest! {
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
