//! The REST flavour of the same calls: JSON bodies, signatures in headers, HTTP errors.
//!
//! The business is that of `/gateway.do`; only the envelope differs. A request is
//! signed over its authorization string, method, path and body, an answer over
//! the time, the nonce and the body in its headers.

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, Uri};
use axum::response::Response;
use axum::routing::post;
use serde_json::Value;

use super::failure::Failure;
use super::{Answer, query, refund};
use crate::behaviour::Reply;
use crate::delivery::{self, Outgoing};
use crate::json_text::Object;
use crate::keys::Keys;
use crate::nonce::random_hex;
use crate::world::{Shared, World};

const SCHEME: &str = "ALIPAY-SHA256withRSA ";

/// The beginning of a success at `/gateway.do`, which HTTP 200 says here.
const SUCCESS: &str = "{\"code\":\"10000\",\"msg\":\"Success\",";

pub(super) fn routes() -> Router<Shared> {
    Router::new()
        .route("/v3/alipay/trade/refund", post(refund))
        .route("/v3/alipay/trade/fastpay/refund/query", post(find))
}

async fn refund(
    State(world): State<Shared>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let incoming = Incoming { method: &method, uri: &uri, headers: &headers, body: &body };
    respond(&world, &incoming, refund::refund).deliver(&world).await
}

async fn find(
    State(world): State<Shared>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let incoming = Incoming { method: &method, uri: &uri, headers: &headers, body: &body };
    respond(&world, &incoming, query::query).deliver(&world).await
}

/// A request as it came.
struct Incoming<'a> {
    method: &'a Method,
    uri: &'a Uri,
    headers: &'a HeaderMap,
    body: &'a [u8],
}

impl Incoming<'_> {
    /// Checks application and signature, in the order of the gateway.
    fn check(&self, keys: &Keys) -> Result<(), Failure> {
        let invalid = |code: &str, text: &str| Failure::new("40002", code, text);
        let header = |name: &str| self.headers.get(name).and_then(|it| it.to_str().ok()).unwrap_or_default();
        let missing = || Failure::new("40001", "isv.missing-signature", "缺少签名参数");
        let authorization = header("authorization").strip_prefix(SCHEME).ok_or_else(missing)?;
        let (signed, signature) = authorization.split_once(",sign=").ok_or_else(missing)?;
        let part = |name: &str| signed.split(',').find_map(|it| it.strip_prefix(name)?.strip_prefix('='));
        if part("app_id") != Some(&keys.settings.alipay.app_id) {
            return Err(invalid("isv.invalid-app-id", "无效的AppID参数").unsigned());
        }
        if part("app_cert_sn").is_some_and(|sn| sn != keys.alipay.app_cert_sn) {
            return Err(invalid("isv.invalid-app-cert-sn", "无效的应用公钥证书序列号"));
        }
        if part("timestamp").is_none_or(|it| it.parse::<i64>().is_err()) {
            return Err(invalid("isv.invalid-timestamp", "非法的时间戳参数"));
        }
        let path = self.uri.path_and_query().map_or_else(|| self.uri.path(), |it| it.as_str());
        let mut text = format!("{signed}\n{}\n{path}\n", self.method).into_bytes();
        text.extend_from_slice(self.body);
        text.push(b'\n');
        let token = header("alipay-app-auth-token");
        if !token.is_empty() {
            text.extend_from_slice(format!("{token}\n").as_bytes());
        }
        if keys.alipay.app.accepts(&text, signature) {
            Ok(())
        } else {
            Err(invalid("isv.invalid-signature", "验签出错，建议检查签名字符串或签名私钥与应用公钥是否匹配"))
        }
    }
}

/// Verifies the caller, asks the business, signs the answer.
fn respond(
    world: &World,
    incoming: &Incoming<'_>,
    business: fn(&World, &Value) -> Result<Answer, Failure>,
) -> Outgoing {
    let asked = incoming.check(&world.keys).and_then(|()| {
        let biz = serde_json::from_slice(incoming.body)
            .map_err(|_| Failure::business("INVALID_PARAMETER", "参数无效"))?;
        business(world, &biz)
    });
    match asked {
        Err(failure) => send(world, &Reply::Truth, refused(&failure)),
        Ok(Answer { reply: Reply::Code(code), .. }) => {
            send(world, &Reply::Truth, refused(&Failure::coded(&code)))
        }
        Ok(Answer { reply, node }) if node.is_empty() => Outgoing::of(&reply, || Response::new("".into())),
        Ok(Answer { reply, node }) => {
            let body = node.strip_prefix(SUCCESS).map_or_else(|| node.clone(), |rest| format!("{{{rest}"));
            send(world, &reply, (StatusCode::OK, body))
        }
    }
}

/// A refusal with the status that goes with its class.
fn refused(failure: &Failure) -> (StatusCode, String) {
    let link = Object::new().text("link", "https://open.alipay.com/api/errCheck").text("desc", "解决方案");
    let body = Object::new()
        .text("code", failure.sub_code.strip_prefix("isv.").unwrap_or(&failure.sub_code))
        .text("message", &failure.sub_msg)
        .raw("links", &format!("[{}]", link.finish()));
    (failure.status(), body.finish())
}

fn send(world: &World, reply: &Reply, (status, body): (StatusCode, String)) -> Outgoing {
    let forged = *reply == Reply::BadSignature;
    Outgoing::of(reply, || {
        let keys = &world.keys.alipay;
        // SDKs compare this time with the machine's, as they do at WeChat Pay.
        let (timestamp, nonce) = (crate::clock::SimClock::Real.now_ms().to_string(), random_hex(16));
        let text = format!("{timestamp}\n{nonce}\n{}\n", if forged { "{}" } else { &body });
        let signature = keys.gateway.sign(text.as_bytes());
        let mut response = delivery::text(status, "application/json;charset=utf-8", body);
        for (name, value) in [
            ("alipay-timestamp", timestamp.as_str()),
            ("alipay-nonce", &nonce),
            ("alipay-signature", &signature),
            ("alipay-sn", &keys.gateway_cert_sn),
        ] {
            response.headers_mut().insert(name, HeaderValue::from_str(value).expect("they are ASCII"));
        }
        response
    })
}

#[cfg(test)]
mod tests {
    use axum::http::{HeaderMap, HeaderValue, Method, Uri};

    use super::Incoming;
    use crate::fixtures;

    fn checked(change: impl Fn(&str) -> String, path: &'static str) -> Option<String> {
        let vector = &fixtures::json("vectors/alipay.json")["rest_v3"];
        let text = |name: &str| vector[name].as_str().expect("text").to_owned();
        let mut headers = HeaderMap::new();
        headers.insert("authorization", HeaderValue::from_str(&text("authorization")).expect("ASCII"));
        let body = change(&text("body"));
        let (method, uri) = (Method::POST, Uri::from_static(path));
        let incoming = Incoming { method: &method, uri: &uri, headers: &headers, body: body.as_bytes() };
        incoming.check(&fixtures::keys()).err().map(|failure| failure.sub_code)
    }

    #[test]
    fn the_request_of_the_vectors_is_accepted_and_a_changed_one_is_not() {
        let path = "/v3/alipay/trade/refund";
        assert_eq!(checked(str::to_owned, path), None);
        let refused = Some("isv.invalid-signature".to_owned());
        assert_eq!(checked(|body| body.replace("12.34", "12.35"), path), refused);
        assert_eq!(checked(str::to_owned, "/v3/alipay/trade/fastpay/refund/query"), refused);
    }
}
