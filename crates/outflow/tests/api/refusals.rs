//! What the console refuses is a page that gives the reason, and never bare JSON.

use reqwest::header::{CONTENT_TYPE, COOKIE, SET_COOKIE};
use reqwest::redirect::Policy;
use reqwest::{Client, Response};

use super::World;

async fn page(answer: Response, status: u16) -> String {
    assert_eq!(answer.status(), status, "{}", answer.url());
    let kind = answer.headers()[CONTENT_TYPE].to_str().unwrap().to_owned();
    let text = answer.text().await.unwrap();
    assert!(kind.starts_with("text/html"), "{kind}: {text}");
    text
}

pub(super) async fn people_read_pages(world: &World) {
    let client = Client::builder().redirect(Policy::none()).build().unwrap();
    let at = |path: &str| format!("{}{path}", world.said["OUTFLOW_API_URL"]);
    let enter = |token: &str| client.post(at("/login")).body(format!("token={token}")).send();

    let wrong = page(enter("nobodys").await.unwrap(), 401).await;
    assert!(wrong.contains("This token is nobody's"), "{wrong}");

    let entered = enter(&world.said["OUTFLOW_OPERATOR_TOKEN"]).await.unwrap();
    let cookie = entered.headers()[SET_COOKIE].to_str().unwrap().split(';').next().unwrap().to_owned();
    let look = |path: &str| client.get(at(path)).header(COOKIE, &cookie).send();
    let unknown = page(look("/withdrawals/12").await.unwrap(), 404).await;
    assert!(unknown.contains("Nothing was changed") && unknown.contains("no withdrawal"), "{unknown}");
    // Its menu offers an operator nothing that an operator may not see.
    let forbidden = page(look("/audit").await.unwrap(), 403).await;
    assert!(!forbidden.contains("href=\"/audit\""), "{forbidden}");
}
