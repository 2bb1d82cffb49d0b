// alipay-sdk, unmodified, against the simulator: the gateway's calls and the REST flavour.
const { readFileSync } = require('fs');
const { join } = require('path');
const { AlipaySdk } = require('alipay-sdk');

const URL = process.env.SIMULATOR_URL;
const KEYS = process.env.SIMULATOR_KEYS;
const key = (name) => readFileSync(join(KEYS, name), 'utf8');
const own = JSON.parse(key('settings.json')).alipay;

const sdk = new AlipaySdk({
  appId: own.app_id,
  privateKey: key('alipay/app_private_pkcs8.pem'),
  alipayPublicKey: key('alipay/gateway_public.pem'),
  keyType: 'PKCS8',
  gateway: `${URL}/gateway.do`,
  endpoint: URL,
});

function holds(what, actual, expected) {
  if (JSON.stringify(actual) !== JSON.stringify(expected)) {
    throw new Error(`FAILED ${what}: ${JSON.stringify(actual)} and not ${JSON.stringify(expected)}`);
  }
  console.log(`ok ${what}`);
}

async function register(trade_no) {
  const trade = { channel: 'alipay', trade_no, out_trade_no: `O${trade_no}`, total_fen: 10000 };
  await fetch(`${URL}/_sim/trades`, { method: 'POST', body: JSON.stringify(trade) });
}

// A refusal of the REST flavour: its status and its code.
async function refusal(call) {
  const error = await call.then(() => ({ code: 'answered' }), (it) => it);
  return [error.responseHttpStatus, error.code];
}

async function gateway() {
  const [trade_no, out_request_no] = ['20261123770000', 'WDnpm00001'];
  await register(trade_no);
  const refund = (refund_amount) =>
    sdk.exec('alipay.trade.refund', { bizContent: { trade_no, out_request_no, refund_amount } }, { validateSign: true });
  const first = await refund('12.34');
  holds('gateway: refund', [first.code, first.fundChange, first.refundFee], ['10000', 'Y', '12.34']);
  holds('gateway: repeat', (await refund('12.34')).fundChange, 'N');
  holds('gateway: changed repeat', (await refund('12.35')).subCode, 'ACQ.DISCORDANT_REPEAT_REQUEST');
  const method = 'alipay.trade.fastpay.refund.query';
  const found = await sdk.exec(method, { bizContent: { trade_no, out_request_no } }, { validateSign: true });
  holds('gateway: query', [found.refundStatus, found.refundAmount], ['REFUND_SUCCESS', '12.34']);
}

async function rest() {
  const [trade_no, out_request_no] = ['20261123880000', 'WDnpm00002'];
  await register(trade_no);
  const refund = (refund_amount, of = trade_no) =>
    sdk.curl('POST', '/v3/alipay/trade/refund', { body: { trade_no: of, out_request_no, refund_amount } });
  const first = await refund('12.34');
  holds('rest: refund', [first.responseHttpStatus, first.data.fund_change, first.data.refund_fee], [200, 'Y', '12.34']);
  holds('rest: repeat', (await refund('12.34')).data.fund_change, 'N');
  holds('rest: changed repeat', await refusal(refund('12.35')), [400, 'ACQ.DISCORDANT_REPEAT_REQUEST']);
  holds('rest: unknown order', await refusal(refund('1.00', '2099')), [400, 'ACQ.TRADE_NOT_EXIST']);
  const path = '/v3/alipay/trade/fastpay/refund/query';
  const found = await sdk.curl('POST', path, { body: { trade_no, out_request_no } });
  holds('rest: query', [found.data.refund_status, found.data.refund_amount], ['REFUND_SUCCESS', '12.34']);
  const stranger = new AlipaySdk({ ...sdk.config, appId: '2099000000000000' });
  const forged = stranger.curl('POST', path, { body: { trade_no, out_request_no } });
  holds('rest: another application', await refusal(forged), [400, 'invalid-app-id']);
}

gateway().then(rest).catch((error) => {
  console.error(error);
  process.exit(1);
});
