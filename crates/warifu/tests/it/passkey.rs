//! A passkey in software: what a browser and its authenticator answer, for tests without a browser.
//!
//! P-256, `none` attestation, user verified, discoverable (W3C Web Authentication Level 3, sections
//! 6.1 and 6.5). CBOR is written by hand: there are two small maps.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use p256::ecdsa::signature::Signer as _;
use p256::ecdsa::{Signature, SigningKey};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

const USER_PRESENT: u8 = 0x01;
const USER_VERIFIED: u8 = 0x04;
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
        }
    }

    /// A copy of the key and of everything in it.
    pub fn copied(&self) -> Self {
        Self {
            origin: self.origin.clone(),
            key: self.key.clone(),
            user: self.user.clone(),
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
        // {"fmt": "none", "attStmt": {}, "authData": bytes}
        let mut attestation = b"\xa3\x63fmt\x64none\x67attStmt\xa0\x68authData\x58".to_vec();
        attestation.push(u8::try_from(data.len()).expect("authData is shorter than 256 bytes"));
        attestation.extend(data);
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
        data.push(USER_PRESENT | verified | if attested { ATTESTED } else { 0 });
        data.extend(self.uses.to_be_bytes());
        if attested {
            data.extend([0; 16]); // AAGUID: none
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
