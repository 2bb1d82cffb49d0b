//! Makes a fresh key set. The slow part, finding primes, runs on all cores.
//!
//! One throw-away authority key signs every chain: its private half is not kept,
//! and nobody in this world looks behind a root.

use std::fs;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::Path;
use std::thread;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use p12_keystore::{EncryptionAlgorithm, KeyStore, KeyStoreEntry, MacAlgorithm, PrivateKeyChain};
use rand::Rng as _;
use rcgen::{
    BasicConstraints, Certificate, CertificateParams, DistinguishedName, DnType, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, PKCS_RSA_SHA256, RsaKeySize, SerialNumber, date_time_ymd,
};

use super::{KeysError, Settings};

/// Common name of `UnionPay`'s signing certificate: its third `@` field is what
/// clients compare.
const UNIONPAY_SIGNER: &str = "041@Z12@中国银联股份有限公司@00000001";

/// Key pairs, in the order in which [`write_all`] takes them.
const KEY_PAIRS: usize = 9;

/// Writes every file of the layout into `dir`, `settings.json` last: its presence
/// says that the set is complete.
pub(super) fn write_all(dir: &Path) -> Result<(), KeysError> {
    let mut pairs = key_pairs()?.into_iter();
    let mut next = || pairs.next().expect("KEY_PAIRS counts the calls below");
    let authority = next();
    let mut settings = Settings::default();
    let folder = Folder { dir };
    alipay(&folder, &authority, [next(), next()])?;
    wechat(&folder, &authority, [next(), next()], &mut settings)?;
    unionpay(&folder, &authority, [next(), next()], &mut settings)?;
    for (name, pair) in [("bank", next()), ("corporate", next())] {
        folder.write(&format!("bank/{name}_key.pem"), &pair.serialize_pem())?;
        folder.write(&format!("bank/{name}_pub.pem"), &pair.public_key_pem())?;
    }
    folder.write("settings.json", &serde_json::to_string_pretty(&settings)?)
}

fn key_pairs() -> Result<Vec<KeyPair>, KeysError> {
    thread::scope(|scope| {
        let threads: Vec<_> = (0..KEY_PAIRS)
            .map(|_| scope.spawn(|| KeyPair::generate_rsa_for(&PKCS_RSA_SHA256, RsaKeySize::_2048)))
            .collect();
        threads
            .into_iter()
            .map(|thread| Ok(thread.join().expect("generating a key does not panic")?))
            .collect()
    })
}

fn alipay(folder: &Folder<'_>, authority: &KeyPair, [app, gateway]: [KeyPair; 2]) -> Result<(), KeysError> {
    let root = authority_params("Sim Financial", "Sim Alipay Root CA", 0x1001);
    let issuer = Issuer::from_params(&root, authority);
    let app_name = format!("Sim App {}", Settings::default().alipay.app_id);
    let app_cert = leaf("Sim", &app_name, &number(0x3003)).signed_by(&app, &issuer)?;
    let gateway_cert = leaf("Sim", "Sim Alipay Gateway", &number(0x2002)).signed_by(&gateway, &issuer)?;
    let pkcs1 = pkcs1_of(&app.serialize_der());
    folder.write("alipay/app_private_pkcs8.pem", &app.serialize_pem())?;
    folder.write("alipay/app_private_pkcs1.b64", &STANDARD.encode(&pkcs1))?;
    folder.write("alipay/app_private_pkcs1.pem", &rsa_pem(&pkcs1))?;
    folder.write("alipay/app_public.pem", &app.public_key_pem())?;
    folder.write("alipay/app_cert.pem", &app_cert.pem())?;
    folder.write("alipay/gateway_private_pkcs8.pem", &gateway.serialize_pem())?;
    folder.write("alipay/gateway_public.pem", &gateway.public_key_pem())?;
    let public = crate::signature::pem_to_der(&gateway.public_key_pem())?;
    folder.write("alipay/gateway_public.b64", &STANDARD.encode(public))?;
    folder.write("alipay/gateway_cert.pem", &gateway_cert.pem())?;
    folder.write("alipay/root_cert.pem", &root.self_signed(authority)?.pem())
}

fn wechat(
    folder: &Folder<'_>,
    authority: &KeyPair,
    [merchant, platform]: [KeyPair; 2],
    settings: &mut Settings,
) -> Result<(), KeysError> {
    let root = authority_params("Sim", "Sim Tenpay CA", 0x4004);
    let issuer = Issuer::from_params(&root, authority);
    let settings = &mut settings.wechat;
    let (merchant_serial, platform_serial) = (long_serial(), long_serial());
    let merchant_cert = leaf("Sim", &settings.mchid, &merchant_serial).signed_by(&merchant, &issuer)?;
    let platform_cert =
        leaf("Tenpay.com", "Tenpay.com sign", &platform_serial).signed_by(&platform, &issuer)?;
    settings.merchant_serial = hex::encode_upper(merchant_serial);
    settings.platform_serial = hex::encode_upper(platform_serial);
    folder.write("wechat/merchant_key.pem", &merchant.serialize_pem())?;
    folder.write("wechat/merchant_cert.pem", &merchant_cert.pem())?;
    folder.write("wechat/platform_key.pem", &platform.serialize_pem())?;
    folder.write("wechat/platform_cert.pem", &platform_cert.pem())?;
    folder.write("wechat/wxp_pub.pem", &platform.public_key_pem())
}

fn unionpay(
    folder: &Folder<'_>,
    authority: &KeyPair,
    [merchant, gateway]: [KeyPair; 2],
    settings: &mut Settings,
) -> Result<(), KeysError> {
    let root = authority_params("Sim CFCA", "Sim CFCA ROOT CA", 0x11);
    let middle = authority_params("Sim CFCA", "Sim CFCA OCA", 0x22);
    let middle_cert = middle.signed_by(authority, &Issuer::from_params(&root, authority))?;
    let issuer = Issuer::from_params(&middle, authority);
    let settings = &mut settings.unionpay;
    // One SDK reads the serial with parseInt, so it stays far below 2^53.
    let merchant_id: u64 = rand::rng().random_range(68_000_000_000..69_000_000_000);
    let gateway_id: u64 = rand::rng().random_range(69_000_000_000..70_000_000_000);
    let merchant_name = format!("041@Z{}@Sim Merchant@00000001", settings.mer_id);
    let merchant_cert: Certificate =
        leaf("Sim", &merchant_name, &number(merchant_id)).signed_by(&merchant, &issuer)?;
    let gateway_cert = leaf("Sim", UNIONPAY_SIGNER, &number(gateway_id)).signed_by(&gateway, &issuer)?;
    settings.merchant_cert_id = merchant_id.to_string();
    settings.gateway_cert_id = gateway_id.to_string();
    folder.write("unionpay/merchant_key.pem", &merchant.serialize_pem())?;
    folder.write("unionpay/merchant_cert.pem", &merchant_cert.pem())?;
    folder.write("unionpay/merchant_sign.pfx", &pfx(&merchant, &merchant_cert, &settings.pfx_password)?)?;
    folder.write("unionpay/gateway_sign_key.pem", &gateway.serialize_pem())?;
    folder.write("unionpay/gateway_sign_cert.pem", &gateway_cert.pem())?;
    folder.write("unionpay/middle.cer", &middle_cert.pem())?;
    folder.write("unionpay/root.cer", &root.self_signed(authority)?.pem())
}

/// The folder that is being filled.
struct Folder<'a> {
    dir: &'a Path,
}

impl Folder<'_> {
    fn write(&self, name: &str, content: &(impl AsRef<[u8]> + ?Sized)) -> Result<(), KeysError> {
        let path = self.dir.join(name);
        // Private keys: nobody else on the machine reads them.
        let folder = |dir| fs::DirBuilder::new().recursive(true).mode(0o700).create(dir);
        let done = path.parent().map_or(Ok(()), folder).and_then(|()| fs::write(&path, content));
        done.map_err(|source| KeysError::File { path, source })
    }
}

fn params(organisation: &str, name: &str, serial: &[u8]) -> CertificateParams {
    let mut params = CertificateParams::default();
    let mut subject = DistinguishedName::new();
    subject.push(DnType::CountryName, "CN");
    subject.push(DnType::OrganizationName, organisation);
    subject.push(DnType::OrganizationalUnitName, "Sim");
    subject.push(DnType::CommonName, name);
    params.distinguished_name = subject;
    params.serial_number = Some(SerialNumber::from_slice(serial));
    params.not_before = date_time_ymd(2024, 1, 1);
    params.not_after = date_time_ymd(2044, 1, 1);
    params
}

fn authority_params(organisation: &str, name: &str, serial: u64) -> CertificateParams {
    let mut params = params(organisation, name, &number(serial));
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    params
}

fn leaf(organisation: &str, name: &str, serial: &[u8]) -> CertificateParams {
    let mut params = params(organisation, name, serial);
    params.is_ca = IsCa::ExplicitNoCa;
    params.use_authority_key_identifier_extension = true;
    params
}

/// A serial number without leading zero bytes.
fn number(serial: u64) -> Vec<u8> {
    serial.to_be_bytes().into_iter().skip_while(|byte| *byte == 0).collect()
}

/// Twenty bytes, positive and not shortened by DER.
fn long_serial() -> [u8; 20] {
    let mut serial: [u8; 20] = rand::rng().random();
    serial[0] = 0x40 | (serial[0] & 0x3f);
    serial
}

/// The PKCS #1 key inside a PKCS #8 one: the octet string that ends the file.
///
/// Both RSA-2048 forms have two-byte lengths, so the header is 26 bytes long.
fn pkcs1_of(pkcs8: &[u8]) -> Vec<u8> {
    pkcs8[26..].to_vec()
}

/// Key and certificate in the old cipher of the PKCS #12 files that `UnionPay`
/// hands out: its SDKs read no newer one.
fn pfx(key: &KeyPair, certificate: &Certificate, password: &str) -> Result<Vec<u8>, KeysError> {
    let unusable = |_| KeysError::Unusable("the merchant's PKCS #12 file");
    let chain = [p12_keystore::Certificate::from_der(certificate.der()).map_err(unusable)?];
    let entry = PrivateKeyChain::new(key.serialize_der(), [1], chain);
    let mut store = KeyStore::new();
    store.add_entry("merchant", KeyStoreEntry::PrivateKeyChain(entry));
    store
        .writer(password)
        .encryption_algorithm(EncryptionAlgorithm::PbeWithShaAnd3KeyTripleDesCbc)
        .encryption_iterations(2048)
        .mac_algorithm(MacAlgorithm::HmacSha1)
        .mac_iterations(2048)
        .write()
        .map_err(unusable)
}

fn rsa_pem(pkcs1: &[u8]) -> String {
    let body = STANDARD.encode(pkcs1);
    let lines: Vec<&str> =
        body.as_bytes().chunks(64).map(|line| std::str::from_utf8(line).expect("base64 is ASCII")).collect();
    format!("-----BEGIN RSA PRIVATE KEY-----\n{}\n-----END RSA PRIVATE KEY-----\n", lines.join("\n"))
}
