// wechatpay-axios-plugin, unmodified, against the simulator, in public-key mode.
const { readFileSync } = require('fs');
const { join } = require('path');
const { Wechatpay } = require('wechatpay-axios-plugin');

const URL = process.env.SIMULATOR_URL;
const KEYS = process.env.SIMULATOR_KEYS;
const key = (name) => readFileSync(join(KEYS, name));
const own = JSON.parse(key('settings.json')).wechat;

const client = new Wechatpay({
  baseURL: URL,
  mchid: own.mchid,
  serial: own.merchant_serial,
  privateKey: key('wechat/merchant_key.pem'),
  certs: { [own.pub_key_id]: key('wechat/wxp_pub.pem') },
  headers: { 'Wechatpay-Serial': own.pub_key_id },
});

function holds(what, actual, expected) {
  if (JSON.stringify(actual) !== JSON.stringify(expected)) {
    throw new Error(`FAILED ${what}: ${JSON.stringify(actual)} and not ${JSON.stringify(expected)}`);
  }
  console.log(`ok ${what}`);
}

// An answer or a refusal, whichever came: its status and its body.
async function of(call) {
  const answer = await call.catch((error) => error.response ?? Promise.reject(error));
  return [answer.status, answer.data];
}

async function main() {
  const [order, number] = ['420000209990000', 'WRaxios0001'];
  const trade = { channel: 'wechat', trade_no: order, out_trade_no: `O${order}`, total_fen: 10000 };
  await fetch(`${URL}/_sim/trades`, { method: 'POST', body: JSON.stringify(trade) });
  const body = (fen, of) => ({
    transaction_id: of ?? order, out_refund_no: number, reason: '提现退款',
    amount: { refund: fen, total: 10000, currency: 'CNY' },
  });
  const refund = (fen, of_) => of(client.v3.refund.domestic.refunds.post(body(fen, of_)));
  const find = (it) => of(client.v3.refund.domestic.refunds._out_refund_no_.get({ out_refund_no: it }));

  const [status, first] = await refund(1234);
  holds('refund', [status, first.status, first.amount.refund], [200, 'SUCCESS', 1234]);
  const [, again] = await refund(1234);
  holds('repeat', again.refund_id, first.refund_id);
  const [refused, changed] = await refund(1235);
  holds('changed repeat', [refused, changed.code], [400, 'INVALID_REQUEST']);
  const [found, same] = await find(number);
  holds('query', [found, same.refund_id], [200, first.refund_id]);
  const [missing, nothing] = await find('WRnever0001');
  holds('unknown number', [missing, nothing.code], [404, 'RESOURCE_NOT_EXISTS']);
  const certificates = await of(client.v3.certificates.get());
  holds('certificates', [certificates[0], certificates[1].data.length], [200, 1]);
}

main().catch((error) => {
  console.error(error);
  process.exit(1);
});
