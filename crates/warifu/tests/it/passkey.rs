//! A passkey in software: what a browser and its authenticator answer, for tests without a browser.
//!
//! P-256, user verified, discoverable, attested by its maker or by nobody (W3C Web Authentication
//! Level 3, sections 6.1 and 6.5).

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use p256::ecdsa::signature::Signer as _;
use p256::ecdsa::{Signature, SigningKey};
use p256::pkcs8::DecodePrivateKey as _;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use std::sync::Arc;

const USER_PRESENT: u8 = 0x01;
const USER_VERIFIED: u8 = 0x04;
const BACKUP_ELIGIBLE: u8 = 0x08;
const BACKED_UP: u8 = 0x10;
const ATTESTED: u8 = 0x40;

/// One credential for one site.
pub struct Passkey {
    origin: String,
    key: SigningKey,
    id: [u8; 32],
    user: Option<String>,
    pub uses: u32,
    /// Whether it says that it verified its user (PIN, finger).
    pub verifies: bool,
    /// Whether it is used in a frame of another site.
    pub framed: bool,
    /// Whether it is copied between devices.
    pub synced: bool,
    /// Its make.
    pub aaguid: [u8; 16],
    /// Who proves its make.
    pub maker: Option<Arc<Maker>>,
}

/// A maker of authenticators: a root certificate, and one for a make of its own.
pub struct Maker {
    pub root: String,
    certificate: Vec<u8>,
    key: SigningKey,
}

impl Maker {
    /// The certificate has what WebAuthn Level 3, section 8.2.1 asks for.
    pub fn new(aaguid: [u8; 16]) -> Self {
        use rcgen::*;
        let root_key = KeyPair::generate().expect("a key");
        let mut root = CertificateParams::default();
        root.distinguished_name.push(DnType::CommonName, "Maker root");
        root.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        root.key_usages = vec![KeyUsagePurpose::KeyCertSign];
        let pem = root.self_signed(&root_key).expect("a certificate").pem();
        let issuer = Issuer::new(root, root_key);
        let key = KeyPair::generate().expect("a key");
        let mut make = CertificateParams::default();
        for (kind, value) in [
            (DnType::CountryName, "JP"),
            (DnType::OrganizationName, "Maker"),
            (DnType::OrganizationalUnitName, "Authenticator Attestation"),
            (DnType::CommonName, "Make"),
        ] {
            make.distinguished_name.push(kind, value);
        }
        make.is_ca = IsCa::ExplicitNoCa;
        // id-fido-gen-ce-aaguid: an octet string.
        let value = [&[0x04, 0x10], &aaguid[..]].concat();
        let extension =
            CustomExtension::from_oid_content(&[1, 3, 6, 1, 4, 1, 45724, 1, 1, 4], value);
        make.custom_extensions.push(extension);
        let certificate = make.signed_by(&key, &issuer).expect("a certificate").der().to_vec();
        let key =
            p256::ecdsa::SigningKey::from_pkcs8_der(&key.serialize_der()).expect("a P-256 key");
        Self { root: pem, certificate, key }
    }
}

impl Passkey {
    /// A new key pair for the site at `origin` (`http://localhost:PORT`).
    pub fn new(origin: &str) -> Self {
        let key = loop {
            let bytes: [u8; 32] = rand::random();
            // Not every number is a key: zero and those beyond the group order are refused.
            if let Ok(key) = SigningKey::from_slice(&bytes) {
                break key;
            }
        };
        Self {
            origin: origin.to_owned(),
            key,
            id: rand::random(),
            user: None,
            uses: 0,
            verifies: true,
            framed: false,
            synced: false,
            aaguid: [0; 16],
            maker: None,
        }
    }

    /// A copy of the key and of everything in it.
    pub fn copied(&self) -> Self {
        Self {
            origin: self.origin.clone(),
            key: self.key.clone(),
            user: self.user.clone(),
            maker: self.maker.clone(),
            ..*self
        }
    }

    /// The same key on another site: what a look-alike site would get signed.
    pub fn used_on(mut self, origin: &str) -> Self {
        self.origin = origin.to_owned();
        self
    }

    /// Answers `navigator.credentials.create`; takes `publicKey` as JSON.
    pub fn create(&mut self, options: &Value) -> Value {
        self.user = options["user"]["id"].as_str().map(str::to_owned);
        let rp = options["rp"]["id"].as_str().expect("rp.id");
        let client = self.client_data("webauthn.create", options);
        let data = self.authenticator_data(rp, true);
        let attestation = self.attestation(&client, data);
        self.credential(json!({
            "clientDataJSON": BASE64.encode(client),
            "attestationObject": BASE64.encode(attestation),
            "transports": ["internal"],
        }))
    }

    /// Answers `navigator.credentials.get`; takes `publicKey` as JSON.
    pub fn get(&mut self, options: &Value) -> Value {
        let rp = options["rpId"].as_str().expect("rpId");
        let client = self.client_data("webauthn.get", options);
        let data = self.authenticator_data(rp, false);
        let signed = [&data[..], &Sha256::digest(&client)].concat();
        let signature: Signature = self.key.sign(&signed);
        self.credential(json!({
            "clientDataJSON": BASE64.encode(client),
            "authenticatorData": BASE64.encode(data),
            "signature": BASE64.encode(signature.to_der()),
            "userHandle": self.user,
        }))
    }

    /// `packed` by its maker, or `none` (sections 8.2 and 8.7).
    fn attestation(&self, client: &[u8], data: Vec<u8>) -> Vec<u8> {
        use serde_cbor_2::Value::{Array, Bytes, Integer, Map, Text};
        let text = |t: &str| Text(t.to_owned());
        let (format, statement) = match &self.maker {
            None => ("none", Map(Default::default())),
            Some(maker) => {
                let signed = [&data[..], &Sha256::digest(client)].concat();
                let signature: Signature = maker.key.sign(&signed);
                let statement = [
                    (text("alg"), Integer(-7)),
                    (text("sig"), Bytes(signature.to_der().as_bytes().to_vec())),
                    (text("x5c"), Array(vec![Bytes(maker.certificate.clone())])),
                ];
                ("packed", Map(statement.into()))
            }
        };
        let object = Map([
            (text("fmt"), text(format)),
            (text("attStmt"), statement),
            (text("authData"), Bytes(data)),
        ]
        .into());
        serde_cbor_2::to_vec(&object).expect("CBOR")
    }

    fn credential(&self, response: Value) -> Value {
        json!({
            "id": BASE64.encode(self.id),
            "rawId": BASE64.encode(self.id),
            "type": "public-key",
            "authenticatorAttachment": "platform",
            "clientExtensionResults": {},
            "response": response,
        })
    }

    fn client_data(&self, kind: &str, options: &Value) -> Vec<u8> {
        let challenge = options["challenge"].as_str().expect("challenge");
        let data = json!({
            "type": kind, "challenge": challenge, "origin": self.origin, "crossOrigin": self.framed,
        });
        data.to_string().into_bytes()
    }

    fn authenticator_data(&mut self, rp: &str, attested: bool) -> Vec<u8> {
        self.uses += 1;
        let mut data = Sha256::digest(rp).to_vec();
        let verified = if self.verifies { USER_VERIFIED } else { 0 };
        let synced = if self.synced { BACKUP_ELIGIBLE | BACKED_UP } else { 0 };
        data.push(USER_PRESENT | verified | synced | if attested { ATTESTED } else { 0 });
        data.extend(self.uses.to_be_bytes());
        if attested {
            data.extend(self.aaguid);
            data.extend([0, 32]);
            data.extend(self.id);
            let point = self.key.verifying_key().to_sec1_point(false);
            let (x, y) = (point.x().expect("not the identity"), point.y().expect("uncompressed"));
            // {kty: EC2, alg: ES256, crv: P-256, x, y}
            data.extend(b"\xa5\x01\x02\x03\x26\x20\x01\x21\x58\x20");
            data.extend_from_slice(x);
            data.extend(b"\x22\x58\x20");
            data.extend_from_slice(y);
        }
        data
    }
}
