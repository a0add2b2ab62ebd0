//! WebAuthn ceremonies, around webauthn-rs: discoverable passkeys with user verification, so that
//! nobody types a user name and nobody learns which accounts exist.
//!
//! Options and answers are the JSON of WebAuthn Level 3 §5.1.8; states and passkeys are texts of
//! this module's own that the caller keeps on the server.

use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use url::Url;
use uuid::Uuid;
use warifu_domain::PersonId;
use webauthn_rs::prelude::{
    AttestationCaList, AttestationCaListBuilder, AttestedPasskeyRegistration,
    CreationChallengeResponse, DiscoverableAuthentication, DiscoverableKey, Passkey,
    PasskeyAuthentication, PasskeyRegistration, PublicKeyCredential, RegisterPublicKeyCredential,
    Webauthn, WebauthnBuilder, WebauthnError,
};

/// Why a ceremony failed. What the client learns is the caller's choice: at sign-in, nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PasskeyError {
    #[error("the origin cannot have passkeys: {0}")]
    Origin(String),
    #[error("the answer is no credential: {0}")]
    Malformed(String),
    /// The signature counter went back or stood still: the key may have been copied.
    #[error("the authenticator's counter went back")]
    Counter,
    /// Wrong origin, challenge, key, or no user verification.
    #[error("not verified: {0}")]
    NotVerified(String),
    /// The stored passkey or state does not read.
    #[error("stored text: {0}")]
    Stored(String),
}

impl PasskeyError {
    /// Stable code for the ledger.
    pub fn code(&self) -> &'static str {
        match self {
            PasskeyError::Counter => "counter",
            PasskeyError::Malformed(_) => "malformed",
            PasskeyError::NotVerified(_) => "not_verified",
            PasskeyError::Origin(_) | PasskeyError::Stored(_) => "internal",
        }
    }
}

/// One step's output: what the browser gets as `publicKey`, and what the server keeps for the
/// second step.
pub struct Begun {
    pub public_key: Value,
    pub state: String,
}

/// A passkey that was just made.
pub struct NewPasskey {
    pub credential_id: Vec<u8>,
    /// To be stored.
    pub passkey: String,
    /// The make of the authenticator as it names it (AAGUID); proved only where that was demanded.
    pub make: Option<String>,
    /// Whether the key may leave its device (BE=1).
    pub synced: bool,
}

/// An enrolment between its two steps.
#[derive(serde::Serialize, serde::Deserialize)]
enum Enrolling {
    Plain(PasskeyRegistration),
    Attested(Box<AttestedPasskeyRegistration>),
}

/// What an answer at sign-in says about itself, before anything is verified.
pub struct Presented {
    pub credential_id: Vec<u8>,
    answer: PublicKeyCredential,
    user: Option<Uuid>,
}

/// A verified sign-in.
pub struct Proven {
    /// The passkey with its new counter, to be stored.
    pub passkey: String,
    /// Whether the key may leave its device (BE=1); NIST SP 800-63B-4 puts such at AAL2.
    pub synced: bool,
}

/// The relying party: one host, one origin.
pub struct Passkeys {
    site: Webauthn,
    /// Certificates of makers of authenticators, each in PEM.
    roots: Vec<String>,
}

fn stored(e: impl std::fmt::Display) -> PasskeyError {
    PasskeyError::Stored(e.to_string())
}

fn malformed(e: impl std::fmt::Display) -> PasskeyError {
    PasskeyError::Malformed(e.to_string())
}

fn failed(e: WebauthnError) -> PasskeyError {
    match e {
        WebauthnError::CredentialPossibleCompromise => PasskeyError::Counter,
        other => PasskeyError::NotVerified(other.to_string()),
    }
}

/// The user handle: the person's id behind a fixed head. It says nothing about the person.
fn handle(person: PersonId) -> Uuid {
    Uuid::from_u64_pair(0x7761_7269_6675_0001, person.0 as u64)
}

impl Passkeys {
    /// `name` is shown by the authenticator.
    ///
    /// # Errors
    /// When the origin has no domain.
    pub fn new(origin: &Url, name: &str) -> Result<Passkeys, PasskeyError> {
        let bad = |e: String| PasskeyError::Origin(e);
        let host = origin.domain().ok_or_else(|| bad(format!("{origin} has no domain")))?;
        let builder = WebauthnBuilder::new(host, origin).map_err(|e| bad(e.to_string()))?;
        let site = builder.rp_name(name).build().map_err(|e| bad(e.to_string()))?;
        Ok(Passkeys { site, roots: Vec::new() })
    }

    /// Takes makers' certificates: a bundle in PEM, with which authenticators prove their make.
    ///
    /// # Errors
    /// When there is no certificate in it, or one that does not read.
    pub fn with_roots(self, pem: &str) -> Result<Passkeys, PasskeyError> {
        const END: &str = "-----END CERTIFICATE-----";
        let roots: Vec<String> = pem
            .split_inclusive(END)
            .filter_map(|part| {
                part.find("-----BEGIN CERTIFICATE-----").map(|at| part[at..].to_owned())
            })
            .collect();
        let site = Passkeys { roots, ..self };
        if site.roots.is_empty() {
            return Err(PasskeyError::Stored("there is no certificate in it".into()));
        }
        site.makers(std::iter::once(&Uuid::nil().to_string()))?;
        Ok(site)
    }

    /// Every maker's certificate, for each of the makes.
    fn makers<'a>(
        &self,
        makes: impl Iterator<Item = &'a String>,
    ) -> Result<AttestationCaList, PasskeyError> {
        let mut list = AttestationCaListBuilder::new();
        for make in makes {
            let aaguid = Uuid::parse_str(make).map_err(stored)?;
            for root in &self.roots {
                list.insert_device_pem(root.as_bytes(), aaguid, make.clone(), BTreeMap::new())
                    .map_err(|e| PasskeyError::Stored(format!("a maker's certificate: {e:?}")))?;
            }
        }
        Ok(list.build())
    }

    /// Begins to enrol a passkey beside those that the person has (stored texts). With `makes` the
    /// authenticator has to prove that it is one of them.
    ///
    /// # Errors
    /// When a stored text does not read, or there is no maker's certificate to prove a make with.
    pub fn begin_enrolment(
        &self,
        person: PersonId,
        user_name: &str,
        display_name: &str,
        known: &[String],
        makes: Option<&BTreeSet<String>>,
    ) -> Result<Begun, PasskeyError> {
        let known: Vec<Passkey> = known
            .iter()
            .map(|text| serde_json::from_str(text))
            .collect::<Result<_, _>>()
            .map_err(stored)?;
        let exclude = Some(known.iter().map(|p| p.cred_id().clone()).collect());
        let user = handle(person);
        let (options, state) = match makes {
            None => {
                let begun =
                    self.site.start_passkey_registration(user, user_name, display_name, exclude);
                let (options, state) = begun.map_err(failed)?;
                (options, Enrolling::Plain(state))
            }
            Some(makes) => {
                let makers = self.makers(makes.iter())?;
                let begun = self.site.start_attested_passkey_registration(
                    user,
                    user_name,
                    display_name,
                    exclude,
                    makers,
                    None,
                );
                let (options, state) = begun.map_err(failed)?;
                (options, Enrolling::Attested(Box::new(state)))
            }
        };
        Ok(Begun { public_key: discoverable(options)?, state: text(&state)? })
    }

    /// # Errors
    /// When the answer is not one to this state from this site with user verification.
    pub fn finish_enrolment(&self, state: &str, answer: Value) -> Result<NewPasskey, PasskeyError> {
        let state: Enrolling = serde_json::from_str(state).map_err(stored)?;
        let answer: RegisterPublicKeyCredential =
            serde_json::from_value(answer).map_err(malformed)?;
        unframed(answer.response.client_data_json.as_ref())?;
        let passkey = match state {
            Enrolling::Plain(state) => {
                self.site.finish_passkey_registration(&answer, &state).map_err(failed)?
            }
            Enrolling::Attested(state) => self
                .site
                .finish_attested_passkey_registration(&answer, &state)
                .map_err(failed)?
                .into(),
        };
        let passkey_text = text(&passkey)?;
        Ok(NewPasskey {
            credential_id: passkey.cred_id().to_vec(),
            make: make(answer.response.attestation_object.as_ref()),
            synced: is_synced(&passkey_text),
            passkey: passkey_text,
        })
    }

    /// Begins a sign-in. It is the same for everybody.
    ///
    /// # Errors
    /// When the library cannot make a challenge.
    pub fn begin_sign_in(&self) -> Result<Begun, PasskeyError> {
        let (options, state) = self.site.start_discoverable_authentication().map_err(failed)?;
        let public_key = serde_json::to_value(options.public_key).map_err(stored)?;
        Ok(Begun { public_key, state: text(&state)? })
    }

    /// Begins to prove somebody once more who is signed in, with one of the passkeys that they have
    /// (stored texts).
    ///
    /// # Errors
    /// When a stored text does not read or there is none.
    pub fn begin_step_up(&self, known: &[String]) -> Result<Begun, PasskeyError> {
        let known: Vec<Passkey> = known
            .iter()
            .map(|text| serde_json::from_str(text))
            .collect::<Result<_, _>>()
            .map_err(stored)?;
        let (options, state) = self.site.start_passkey_authentication(&known).map_err(failed)?;
        let public_key = serde_json::to_value(options.public_key).map_err(stored)?;
        Ok(Begun { public_key, state: text(&state)? })
    }

    /// Verifies the answer to [`Passkeys::begin_step_up`] and gives the passkey with its new counter.
    ///
    /// # Errors
    /// As [`Passkeys::finish_sign_in`].
    pub fn finish_step_up(
        &self,
        state: &str,
        presented: &Presented,
        passkey: &str,
    ) -> Result<String, PasskeyError> {
        let state: PasskeyAuthentication = serde_json::from_str(state).map_err(stored)?;
        // The state has the counter of when it began; a sign-in may have moved it since.
        let counted = counter(passkey);
        let mut passkey: Passkey = serde_json::from_str(passkey).map_err(stored)?;
        let result =
            self.site.finish_passkey_authentication(&presented.answer, &state).map_err(failed)?;
        if result.counter() > 0 && result.counter() <= counted {
            return Err(PasskeyError::Counter);
        }
        if !result.user_verified() || result.cred_id() != passkey.cred_id() {
            return Err(PasskeyError::NotVerified("the user was not verified".into()));
        }
        passkey.update_credential(&result);
        text(&passkey)
    }

    /// Which credential an answer claims to be from.
    ///
    /// # Errors
    /// When the answer is no assertion.
    pub fn presented(&self, answer: Value) -> Result<Presented, PasskeyError> {
        let answer: PublicKeyCredential = serde_json::from_value(answer).map_err(malformed)?;
        unframed(answer.response.client_data_json.as_ref())?;
        let user = answer.get_user_unique_id().and_then(|b| Uuid::from_slice(b).ok());
        Ok(Presented { credential_id: answer.get_credential_id().to_vec(), answer, user })
    }

    /// Verifies an answer against the stored passkey of the person.
    ///
    /// # Errors
    /// [`PasskeyError::Counter`] or [`PasskeyError::NotVerified`]; nobody is signed in then.
    pub fn finish_sign_in(
        &self,
        state: &str,
        presented: &Presented,
        person: PersonId,
        passkey: &str,
    ) -> Result<Proven, PasskeyError> {
        // A user handle of somebody else means that the database or the answer was tampered with.
        if presented.user != Some(handle(person)) {
            return Err(PasskeyError::NotVerified("the user handle is not the owner's".into()));
        }
        let state: DiscoverableAuthentication = serde_json::from_str(state).map_err(stored)?;
        let mut passkey: Passkey = serde_json::from_str(passkey).map_err(stored)?;
        let key = DiscoverableKey::from(&passkey);
        let result = self
            .site
            .finish_discoverable_authentication_v2(&presented.answer, state, &key)
            .map_err(failed)?;
        if !result.user_verified() {
            return Err(PasskeyError::NotVerified("the user was not verified".into()));
        }
        passkey.update_credential(&result);
        Ok(Proven { passkey: text(&passkey)?, synced: result.backup_eligible() })
    }
}

/// The part of an attestation object that names the make (WebAuthn Level 3, section 6.5.4).
#[derive(serde::Deserialize)]
struct AttestationObject {
    #[serde(rename = "authData")]
    data: serde_cbor_2::Value,
}

/// AAGUID in an attestation object that was verified; `None` where there is none, or zeros.
fn make(attestation: &[u8]) -> Option<String> {
    let object: AttestationObject = serde_cbor_2::from_slice(attestation).ok()?;
    let serde_cbor_2::Value::Bytes(data) = object.data else { return None };
    // Section 6.1: a hash of 32 bytes, flags, a counter of four, then the AAGUID.
    let aaguid = Uuid::from_slice(data.get(37..53)?).ok()?;
    (!aaguid.is_nil()).then(|| aaguid.to_string())
}

/// What the browser says about the page that asked (WebAuthn Level 3, section 5.8.1).
#[derive(serde::Deserialize)]
#[serde(rename_all = "camelCase")]
struct ClientData {
    #[serde(default)]
    cross_origin: bool,
    top_origin: Option<String>,
}

/// Refuses an answer that was given inside a frame of another site, whatever its signature: the
/// library looks at the origin of the frame only, and the person saw another page around it.
fn unframed(client_data: &[u8]) -> Result<(), PasskeyError> {
    let data: ClientData = serde_json::from_slice(client_data).map_err(malformed)?;
    if data.cross_origin || data.top_origin.is_some() {
        return Err(PasskeyError::NotVerified("asked for in a frame of another site".into()));
    }
    Ok(())
}

/// The signature counter of a stored passkey.
fn counter(passkey: &str) -> u32 {
    let value: Value = serde_json::from_str(passkey).unwrap_or_default();
    let counter = value.pointer("/cred/counter").and_then(Value::as_u64);
    counter.and_then(|n| n.try_into().ok()).unwrap_or(0)
}

/// Whether a stored passkey may leave its device.
pub fn is_synced(passkey: &str) -> bool {
    let value: Value = serde_json::from_str(passkey).unwrap_or_default();
    value.pointer("/cred/backup_eligible").and_then(Value::as_bool).unwrap_or(false)
}

/// The authenticator's id of a stored passkey; empty when the text does not read.
pub fn credential_id(passkey: &str) -> Vec<u8> {
    serde_json::from_str::<Passkey>(passkey).map(|p| p.cred_id().to_vec()).unwrap_or_default()
}

fn text(value: &impl serde::Serialize) -> Result<String, PasskeyError> {
    serde_json::to_string(value).map_err(stored)
}

/// The library leaves it to the authenticator whether it remembers the account; without a user
/// name at sign-in it has to.
fn discoverable(options: CreationChallengeResponse) -> Result<Value, PasskeyError> {
    let mut value = serde_json::to_value(options.public_key).map_err(stored)?;
    if let Some(selection) = value.get_mut("authenticatorSelection") {
        selection["residentKey"] = "required".into();
        selection["requireResidentKey"] = true.into();
        selection["userVerification"] = "required".into();
    }
    Ok(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn site() -> Passkeys {
        Passkeys::new(&"http://localhost:8080".parse().unwrap(), "Warifu").unwrap()
    }

    #[test]
    fn sign_in_asks_everybody_the_same_and_demands_verification() {
        let begun = site().begin_sign_in().unwrap();
        assert_eq!(begun.public_key["userVerification"], "required");
        assert_eq!(begun.public_key["rpId"], "localhost");
        assert!(begun.public_key["allowCredentials"].as_array().is_none_or(Vec::is_empty));
        let again = site().begin_sign_in().unwrap();
        assert_ne!(begun.public_key["challenge"], again.public_key["challenge"]);
    }

    #[test]
    fn enrolment_demands_a_discoverable_verified_key() {
        let begun = site().begin_enrolment(PersonId(7), "a@b", "A", &[], None).unwrap();
        let selection = &begun.public_key["authenticatorSelection"];
        assert_eq!(selection["residentKey"], "required");
        assert_eq!(selection["userVerification"], "required");
    }

    #[test]
    fn an_address_has_no_passkeys() {
        for bad in ["http://127.0.0.1:8080", "http://[::1]/"] {
            assert!(Passkeys::new(&bad.parse().unwrap(), "W").is_err(), "{bad}");
        }
    }

    #[test]
    fn makers_certificates_are_read_or_refused() {
        for bad in ["", "x", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----"] {
            assert!(site().with_roots(bad).is_err(), "{bad}");
        }
        // Without a maker's certificate no make can be proved.
        let makes = BTreeSet::from([Uuid::nil().to_string()]);
        assert!(site().begin_enrolment(PersonId(7), "a@b", "A", &[], Some(&makes)).is_err());
    }

    #[test]
    fn garbage_is_refused() {
        assert!(matches!(site().presented(Value::Null), Err(PasskeyError::Malformed(_))));
        let begun = site().begin_enrolment(PersonId(7), "a@b", "A", &[], None).unwrap();
        assert!(site().finish_enrolment(&begun.state, Value::Null).is_err());
        assert!(matches!(site().finish_enrolment("{}", Value::Null), Err(PasskeyError::Stored(_))));
    }
}
