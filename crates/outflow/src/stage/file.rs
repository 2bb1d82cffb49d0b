//! The settings file of a stage, and the keys it names.

use std::fs::OpenOptions;
use std::io::Write;
use std::net::SocketAddr;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use rand::RngCore;

use super::Proof;

/// The id of the key with which the upstream of a stage proves codes (R10).
pub(crate) const UPSTREAM_KEY: &str = "upstream";

/// What differs from stage to stage.
pub(super) struct Written {
    pub(super) database_url: String,
    pub(super) amqp_url: String,
    pub(super) simulator_url: String,
    pub(super) notify_url: String,
    pub(super) api: SocketAddr,
    pub(super) proof: Proof,
}

/// Where the settings file of a folder is.
pub(super) fn in_folder(folder: &Path) -> PathBuf {
    folder.join("outflow.toml")
}

impl Written {
    /// Writes keys and settings, readable by their owner alone.
    ///
    /// # Errors
    /// When the folder cannot be written.
    pub(super) fn put(&self, folder: &Path) -> Result<PathBuf> {
        for name in ["vault.key", "vault-lookup.key", "upstream.key"] {
            let mut bytes = [0; 32];
            rand::rng().fill_bytes(&mut bytes);
            write(&folder.join(name), &hex::encode(bytes))?;
        }
        let file = in_folder(folder);
        write(&file, &self.text())?;
        Ok(file)
    }

    fn text(&self) -> String {
        let Self { database_url, amqp_url, simulator_url, notify_url, api, proof } = self;
        let text = |value: &str| toml::Value::from(value).to_string();
        let (database_url, amqp_url) = (text(database_url), text(amqp_url));
        let (simulator_url, notify_url) = (text(simulator_url), text(notify_url));
        let required = *proof == Proof::Required;
        format!(
            "# Settings of servers that go away when `outflow` ends.\n\
             profile = \"dev\"\n\n\
             [database]\nurl = {database_url}\n\n\
             [broker]\nurl = {amqp_url}\n\n\
             [vault]\nkeys = [{{ id = \"stage\", file = \"vault.key\" }}]\nlookup_key_file = \"vault-lookup.key\"\n\n\
             [verification]\nrequired = {required}\nkeys = [{{ id = \"{UPSTREAM_KEY}\", file = \"upstream.key\" }}]\n\n\
             [gateways]\nkey_folder = \"gateway-keys\"\nbase_url = {simulator_url}\nnotify_url = {notify_url}\n\n\
             [api]\nlisten = \"{api}\"\n"
        )
    }
}

fn write(file: &Path, text: &str) -> Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true).mode(0o600);
    let mut opened = options.open(file).with_context(|| format!("writing {}", file.display()))?;
    opened.write_all(text.as_bytes()).with_context(|| format!("writing {}", file.display()))
}

#[cfg(test)]
mod tests {
    use std::net::SocketAddr;

    use super::{Proof, Written};
    use crate::settings::Settings;

    #[test]
    fn what_is_written_is_read_like_any_other_settings_file() {
        let folder = tempfile::tempdir().unwrap();
        let written = Written {
            database_url: "postgres://u@127.0.0.1:5/d".to_owned(),
            amqp_url: "amqp://u:p\"q@127.0.0.1:5/%2f".to_owned(),
            simulator_url: "http://127.0.0.1:5".to_owned(),
            notify_url: "http://127.0.0.1:6/v1/notices".to_owned(),
            api: SocketAddr::from(([127, 0, 0, 1], 6)),
            proof: Proof::Required,
        };
        let settings = Settings::read(&written.put(folder.path()).unwrap()).unwrap();
        assert!(settings.vault().is_ok() && settings.proofs().is_ok());
        assert_eq!(settings.gateways.base_url.as_deref(), Some("http://127.0.0.1:5"));
        assert_eq!(settings.gateways.notify_url.as_deref(), Some("http://127.0.0.1:6/v1/notices"));
        assert_eq!(settings.api.listen.port(), 6);
    }
}
