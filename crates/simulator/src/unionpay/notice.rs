//! The notice about a refund, as an url-encoded form to its `backUrl`.

use super::Code;
use super::form::{Pairs, sign};
use super::query::{result, settlement};
use crate::book::Order;
use crate::postman::Letter;
use crate::world::World;

/// Writes the form with the order's final result.
pub(crate) fn letter(world: &World, order: &Order) -> Letter {
    let placed = &order.placed;
    let echoed = |name: &'static str| placed.echo.get(name).map(|value| (name, value.clone()));
    let mut pairs: Pairs = vec![
        ("version", "5.1.0".to_owned()),
        ("encoding", "UTF-8".to_owned()),
        ("txnType", "04".to_owned()),
        ("txnSubType", "00".to_owned()),
        ("accessType", "0".to_owned()),
        ("merId", world.keys.settings.unionpay.mer_id.clone()),
    ];
    pairs.extend(["bizType", "txnTime", "orderId", "reqReserved"].into_iter().filter_map(echoed));
    pairs.extend(settlement(order));
    let code: Code = result(&order.state);
    code.push(&mut pairs, ["respCode", "respMsg"]);
    let signed = sign(&world.keys, pairs);
    let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(signed).finish();
    Letter { content_type: "application/x-www-form-urlencoded;charset=UTF-8", headers: Vec::new(), body }
}
