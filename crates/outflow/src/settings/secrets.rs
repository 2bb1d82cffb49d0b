//! Secrets: from files or from the environment, never shown.

use std::borrow::Cow;
use std::fmt;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use secrecy::{ExposeSecret, SecretBox, SecretSlice, SecretString};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use store::{Vault, VaultKey};
use workers::codes::Delivery;
use workers::verification::{Keyring, Proofs};

use super::{Profile, Settings};
use crate::exit::{Exit, Failure};

/// A text that `Debug` does not show.
#[derive(Clone)]
pub(crate) struct Secret(SecretString);

impl Secret {
    /// The first line of a file, so that an editor's line end does no harm.
    ///
    /// # Errors
    /// When the file cannot be read or begins with an empty line.
    pub(crate) fn first_line_of(file: &Path) -> Result<Self> {
        let text =
            std::fs::read_to_string(file).with_context(|| format!("{} cannot be read", file.display()))?;
        let line = text.lines().next().unwrap_or("").trim();
        ensure!(!line.is_empty(), "{} is empty", file.display());
        Ok(Self::from(line.to_owned()))
    }
}

impl From<String> for Secret {
    fn from(text: String) -> Self {
        Self(text.into())
    }
}

impl ExposeSecret<str> for Secret {
    fn expose_secret(&self) -> &str {
        self.0.expose_secret()
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// As `outflow config show` tells it: that there is one.
impl Serialize for Secret {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str("(secret)")
    }
}

impl JsonSchema for Secret {
    fn schema_name() -> Cow<'static, str> {
        "Secret".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string" })
    }
}

impl<'de> Deserialize<'de> for Secret {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(Self::from)
    }
}

/// A key in a file: 64 hexadecimal digits.
#[derive(Debug, Clone, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct KeyFile {
    /// Its name.
    pub(crate) id: String,
    /// The file.
    pub(crate) file: PathBuf,
}

/// The keys that seal account numbers (S04).
#[derive(Debug, Clone, Default, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct VaultSettings {
    /// The first one seals, all of them open.
    pub(crate) keys: Vec<KeyFile>,
    /// The key of the digests by which numbers are found. Must never change.
    pub(crate) lookup_key_file: Option<PathBuf>,
    /// `OUTFLOW_VAULT_KEYS`: `id:hex,id:hex`.
    #[serde(skip)]
    pub(crate) keys_given: Option<Secret>,
    /// `OUTFLOW_VAULT_LOOKUP_KEY`: hex.
    #[serde(skip)]
    pub(crate) lookup_key_given: Option<Secret>,
}

/// R10: who may prove that a code was entered.
#[derive(Debug, Clone, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct VerificationSettings {
    /// `false` when the upstream has verified its customers itself.
    pub(crate) required: bool,
    /// The keys whose tokens are accepted.
    pub(crate) keys: Vec<KeyFile>,
    /// Codes that one account may be issued within an hour.
    pub(crate) codes_per_hour: u16,
    /// The keys that seal codes for the service that delivers them: the first one.
    pub(crate) delivery_keys: Vec<KeyFile>,
    /// `OUTFLOW_VERIFICATION_KEYS`: `id:hex,id:hex`.
    #[serde(skip)]
    pub(crate) keys_given: Option<Secret>,
    /// `OUTFLOW_DELIVERY_KEYS`: `id:hex,id:hex`.
    #[serde(skip)]
    pub(crate) delivery_keys_given: Option<Secret>,
}

impl Default for VerificationSettings {
    fn default() -> Self {
        Self {
            required: true,
            keys: Vec::new(),
            codes_per_hour: 5,
            delivery_keys: Vec::new(),
            keys_given: None,
            delivery_keys_given: None,
        }
    }
}

impl VerificationSettings {
    /// Whether anybody named a key that seals codes.
    pub(crate) fn any_delivery_key(&self) -> bool {
        !self.delivery_keys.is_empty() || self.delivery_keys_given.is_some()
    }
}

impl Settings {
    /// Every file and folder of the settings that holds a secret.
    pub(crate) fn secret_files(&self) -> Vec<PathBuf> {
        let keys = [&self.vault.keys, &self.verification.keys, &self.verification.delivery_keys];
        let keys = keys.into_iter().flatten().map(|key| &key.file);
        let single = [
            &self.vault.lookup_key_file,
            &self.database.url_file,
            &self.broker.url_file,
            &self.gateways.key_folder,
        ];
        keys.chain(single.into_iter().flatten()).map(|file| self.resolve(file)).collect()
    }

    /// The vault.
    ///
    /// # Errors
    /// When a key is missing or is none.
    pub(crate) fn vault(&self) -> Result<Vault> {
        let keys = self.keys(&self.vault.keys, self.vault.keys_given.as_ref())?;
        let lookup = self.lookup_key()?;
        if keys.is_empty() {
            return Err(missing("vault", "`keys` of [vault]", "OUTFLOW_VAULT_KEYS"));
        }
        ring(keys, &lookup)
    }

    fn lookup_key(&self) -> Result<Secret> {
        match (&self.vault.lookup_key_given, &self.vault.lookup_key_file) {
            (Some(given), _) => Ok(given.clone()),
            (None, Some(file)) => Secret::first_line_of(&self.resolve(file)),
            (None, None) => {
                Err(missing("vault lookup", "`lookup_key_file` of [vault]", "OUTFLOW_VAULT_LOOKUP_KEY"))
            }
        }
    }

    /// What a request must prove (R10).
    ///
    /// # Errors
    /// When proofs are required and there is no key to check them with.
    pub(crate) fn proofs(&self) -> Result<Proofs> {
        if !self.verification.required {
            return Ok(Proofs::Off);
        }
        Ok(Proofs::Required(self.code_keys()?.0))
    }

    /// The keys that sign tokens, and the name of the first: codes that are
    /// confirmed here are signed with it.
    ///
    /// # Errors
    /// When there is no key, or one that is none.
    pub(crate) fn code_keys(&self) -> Result<(Keyring, String)> {
        let keys = self.keys(&self.verification.keys, self.verification.keys_given.as_ref())?;
        let Some((first, _)) = keys.first() else {
            return Err(missing("verification", "`keys` of [verification]", "OUTFLOW_VERIFICATION_KEYS"));
        };
        let first = first.clone();
        let keys: Vec<(String, SecretSlice<u8>)> = keys
            .into_iter()
            .map(|(id, hex)| {
                let key = key_of(&hex).with_context(|| key_named(&id))?;
                ensure!(!id.contains('.'), "{} must not have a dot in its name", key_named(&id));
                Ok((id, key.expose_secret().to_vec().into()))
            })
            .collect::<Result<_>>()?;
        Ok((Keyring::new(&keys), first))
    }

    /// How a code gets to its customer: sealed where there is a key for it, and
    /// shown only on a machine of one's own.
    ///
    /// # Errors
    /// When there is no key to seal codes with, outside the profile `dev`.
    pub(crate) fn code_delivery(&self) -> Result<Delivery> {
        let VerificationSettings { delivery_keys, delivery_keys_given, .. } = &self.verification;
        let keys = self.keys(delivery_keys, delivery_keys_given.as_ref())?;
        match (keys.is_empty(), self.profile) {
            (false, _) => Ok(Delivery::Sealed(ring(keys, &self.lookup_key()?)?)),
            (true, Profile::Dev) => Ok(Delivery::Shown),
            (true, Profile::Production) => {
                Err(missing("code delivery", "`delivery_keys` of [verification]", "OUTFLOW_DELIVERY_KEYS"))
            }
        }
    }

    /// Names and hexadecimal digits: of the environment, or of the files.
    fn keys(&self, files: &[KeyFile], given: Option<&Secret>) -> Result<Vec<(String, Secret)>> {
        if let Some(given) = given {
            return given
                .expose_secret()
                .split(',')
                .map(|entry| match entry.trim().split_once(':') {
                    Some((id, hex)) => Ok((id.to_owned(), Secret::from(hex.to_owned()))),
                    None => bail!("a key of the environment is not written as id:hex"),
                })
                .collect();
        }
        files.iter().map(|it| Ok((it.id.clone(), Secret::first_line_of(&self.resolve(&it.file))?))).collect()
    }
}

/// A vault of keys with names.
fn ring(keys: Vec<(String, Secret)>, lookup: &Secret) -> Result<Vault> {
    let keys: Vec<VaultKey> = keys
        .into_iter()
        .map(|(id, hex)| Ok(VaultKey { bytes: key_of(&hex).with_context(|| key_named(&id))?, id }))
        .collect::<Result<_>>()?;
    Ok(Vault::new(&keys, &key_of(lookup).context("the vault's lookup key")?)?)
}

fn key_named(id: &str) -> String {
    format!("the key {id:?}")
}

fn key_of(digits: &Secret) -> Result<SecretBox<[u8; 32]>> {
    let mut bytes = Box::new([0; 32]);
    hex::decode_to_slice(digits.expose_secret(), bytes.as_mut_slice())
        .ok()
        .context("must be 64 hexadecimal digits; `openssl rand -hex 32` makes some")?;
    Ok(SecretBox::new(bytes))
}

fn missing(what: &str, setting: &str, variable: &str) -> anyhow::Error {
    Failure::new(
        Exit::Usage,
        format!("there is no {what} key"),
        format!("`openssl rand -hex 32 > FILE` makes one; name it in {setting}, or set {variable}"),
    )
    .into()
}

#[cfg(test)]
mod tests {
    use super::{Delivery, Profile, Secret, Settings};

    const KEY: &str = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";

    #[test]
    fn keys_come_from_the_environment_and_are_never_shown() {
        let mut settings = Settings::default();
        assert!(settings.vault().unwrap_err().to_string().contains("no vault lookup key"));
        settings.vault.keys_given = Some(Secret::from(format!("k2:{KEY},k1:{KEY}")));
        settings.vault.lookup_key_given = Some(Secret::from(KEY.to_owned()));
        settings.verification.keys_given = Some(Secret::from(format!("up:{KEY}")));
        assert!(settings.vault().is_ok());
        assert!(settings.proofs().is_ok());
        assert!(!format!("{settings:?}").contains("0011"));
    }

    #[test]
    fn r10_codes_are_shown_on_ones_own_machine_and_sealed_everywhere_else() {
        let mut settings = Settings::default();
        settings.vault.lookup_key_given = Some(Secret::from(KEY.to_owned()));
        settings.verification.keys_given = Some(Secret::from(format!("new:{KEY},old:{KEY}")));
        assert_eq!(settings.code_keys().unwrap().1, "new");
        assert!(settings.code_delivery().unwrap_err().to_string().contains("no code delivery key"));
        settings.profile = Profile::Dev;
        assert!(matches!(settings.code_delivery(), Ok(Delivery::Shown)));
        settings.verification.delivery_keys_given = Some(Secret::from(format!("notifier:{KEY}")));
        assert!(matches!(settings.code_delivery(), Ok(Delivery::Sealed(_))));
    }

    #[test]
    fn a_key_of_another_length_is_refused_without_being_repeated() {
        let mut settings = Settings::default();
        settings.vault.lookup_key_given = Some(Secret::from(KEY.to_owned()));
        settings.vault.keys_given = Some(Secret::from("k1:c0ffee".to_owned()));
        let error = format!("{:#}", settings.vault().unwrap_err());
        assert!(error.contains("64 hexadecimal digits") && !error.contains("c0ffee"), "{error}");
    }
}
