// A real OpenID Connect provider (oidc-provider) for tests. Its own tokens are altered on request, so that a server can be seen to refuse them.
import { createPublicKey, createPrivateKey, generateKeyPairSync, sign } from 'node:crypto';
import { Provider } from 'oidc-provider';

const [port, callback] = process.argv.slice(2);
const issuer = `http://127.0.0.1:${port}`;
const keys = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey;
const jwk = { ...keys.export({ format: 'jwk' }), kid: 'one', use: 'sig', alg: 'RS256' };
const groups = { alice: ['sre', 'ops-dba'], bob: ['ops-dba'], carol: ['sre'], eve: ['guests'] };

const provider = new Provider(issuer, {
  jwks: { keys: [jwk] },
  clients: [{ client_id: 'helix', client_secret: process.env.CLIENT_SECRET, redirect_uris: [callback], post_logout_redirect_uris: [new URL('/login', callback).href] }],
  claims: { openid: ['sub'], profile: ['preferred_username', 'groups'] },
  cookies: { keys: ['tests'] },
  pkce: { required: () => true },
  findAccount: (_, id) => ({ accountId: id, claims: () => ({ sub: id, preferred_username: id.slice(4), groups: groups[id.slice(4)] ?? [] }) }),
});

let trick = '';
const encoded = value => Buffer.from(JSON.stringify(value)).toString('base64url');
const signed = (claims, key = createPrivateKey({ key: jwk, format: 'jwk' }), head = { alg: 'RS256', kid: 'one' }) => {
  const text = `${encoded(head)}.${encoded(claims)}`;
  return `${text}.${sign('RSA-SHA256', Buffer.from(text), key).toString('base64url')}`;
};
const altered = {
  audience: c => signed({ ...c, aud: 'another' }),
  expired: c => signed({ ...c, iat: c.iat - 7200, exp: c.iat - 3600 }),
  issuer: c => signed({ ...c, iss: 'http://127.0.0.1:1' }),
  nonce: c => signed({ ...c, nonce: 'of another sign-on' }),
  tampered: (c, token) => { const [head, , end] = token.split('.'); return `${head}.${encoded({ ...c, preferred_username: 'alice', sub: 'sub-alice' })}.${end}`; },
  stranger: c => signed(c, generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey),
  unsigned: c => `${encoded({ alg: 'none' })}.${encoded(c)}.`,
};

provider.use(async (ctx, next) => {
  if (ctx.path.startsWith('/trick/')) {
    trick = ctx.path.slice('/trick/'.length);
    ctx.body = 'ok';
    return;
  }
  await next();
  if (ctx.path === '/token' && ctx.body?.id_token && altered[trick]) {
    const claims = JSON.parse(Buffer.from(ctx.body.id_token.split('.')[1], 'base64url'));
    ctx.body = { ...ctx.body, id_token: altered[trick](claims, ctx.body.id_token) };
  }
});
provider.listen(Number(port), '127.0.0.1', () => console.log(`listens at ${issuer}`));
