import assert from 'node:assert/strict';
import { test } from 'node:test';
import { judgeHealthy, judgeReconciled, judgeSynced } from '../../support/argocd/probes';
import { skipReconcile, type Application, type ArgoCdClient } from '../../support/argocd/client';
import { runChain } from '../../support/canary/chain';
import { breaksAt, causeMentions, linksHold } from '../../support/canary/expectations';
import type { CanaryContext, Link, LinkName } from '../../support/canary/link';
import { applicationLink } from '../../support/canary/links/application';
import { addToTfvars, addToValues, declares, removeFromValues } from '../../support/canary/registration';
import { asHtml, asText, summary } from '../../support/canary/report';
import type { Finding } from '../../support/finding';
import { readInventory } from '../../support/inventory';
import { judgePods } from '../../support/kubernetes/probes';
import { namesOf, nearMiss, typoHint } from '../../support/naming';
import { ProductError } from '../../support/product-error';
import { readEvents } from '../../support/tofu/client';
import { judgeSecret } from '../../support/vault/secrets-operator';

const inventory = readInventory();
const context = { names: namesOf('canary'), systems: { inventory } } as CanaryContext;
const met: Finding = { subject: 'thing', status: 'met', expected: 'a', actual: 'a', source: 'test' };
const unmet: Finding = { ...met, status: 'unmet', actual: 'b', hint: 'the letter b' };
const link = (name: LinkName, more: Partial<Link> = {}): Link => ({
  name,
  title: name,
  check: () => Promise.resolve([met]),
  ...more,
});

void test('a chain whose links all hold says so, link by link', async () => {
  const result = await runChain([link('repository'), link('database')], context);
  assert.equal(result.brokenAt, undefined);
  assert.match(summary(result), /holds, all 2 links/);
  assert.ok(linksHold(result, ['repository', 'database']).every((finding) => finding.status === 'met'));
  assert.equal(linksHold(result, ['serving'])[0]?.status, 'unmet');
});

void test('a comparison that failed is asked for again, not with every look', async () => {
  const failed = { status: { sync: { revision: 'HEAD', status: 'Unknown' } } } as unknown as Application;
  let asked = 0;
  const argocd = {
    application: () => Promise.resolve(failed),
    refresh: () => Promise.resolve(void (asked += 1)),
  } as unknown as ArgoCdClient;
  const shared = { ...context, systems: { ...context.systems, argocd }, registration: 'abc', askedAt: Date.now() };
  await applicationLink.check(shared);
  assert.equal(asked, 0, 'one that was asked for just now is waited for');
  shared.askedAt -= 60_000;
  await applicationLink.check(shared);
  await applicationLink.check(shared);
  assert.equal(asked, 1);
});

void test('the chain stops at the first broken link and names the likely cause', async () => {
  let reached = false;
  const later = link('secret', {
    check: () => {
      reached = true;
      return Promise.resolve([met]);
    },
  });
  const result = await runChain(
    [link('repository'), link('database', { check: () => Promise.resolve([met, unmet]) }), later],
    context,
  );
  assert.equal(result.brokenAt, 'database');
  assert.equal(result.likelyCause, 'the letter b');
  assert.equal(reached, false);
  assert.deepEqual(
    result.links.map((one) => one.status),
    ['holds', 'broken', 'not reached'],
  );
  assert.equal(breaksAt(result, 'database').status, 'met');
  assert.equal(breaksAt(result, 'secret').status, 'unmet');
  assert.equal(causeMentions(result, 'letter').status, 'met');
  assert.equal(causeMentions(result, 'number').status, 'unmet');
});

void test('a link without findings, and one that could not be looked at, are not green', async () => {
  const none = await runChain([link('repository', { check: () => Promise.resolve([]) })], context);
  assert.equal(none.brokenAt, 'repository');
  const failing = await runChain(
    [link('repository', { check: () => Promise.reject(new Error('connection lost')) })],
    context,
  );
  assert.equal(failing.brokenAt, 'repository');
  assert.equal(failing.links[0]?.findings[0]?.status, 'unknown');
  const silent = Object.assign(new Error(`connect ECONNREFUSED ${inventory.endpoints.pgbouncer}`), {
    code: 'ECONNREFUSED',
  });
  const away = await runChain([link('credentials', { check: () => Promise.reject(silent) })], context);
  assert.match(away.likelyCause ?? '', /^pgbouncer .* does not answer/);
});

void test('a refused act breaks its link with the words of the product', async () => {
  const refuse = (): Promise<void> =>
    Promise.reject(new ProductError('OpenTofu', '42704', 'apply of postgres', 'role does not exist'));
  const result = await runChain([link('database', { act: refuse })], context);
  assert.equal(result.brokenAt, 'database');
  assert.match(result.likelyCause ?? '', /role does not exist/);
});

void test('a wait goes on while something may come, and ends at once when it never will', async () => {
  let looks = 0;
  const coming = link('secret', { budget: { ms: 5_000 }, check: () => Promise.resolve([++looks < 3 ? unmet : met]) });
  assert.equal((await runChain([coming], context)).brokenAt, undefined);
  const never = link('pod', { budget: { ms: 60_000 }, check: () => Promise.resolve([met, { ...unmet, final: true }]) });
  const result = await runChain([never], context);
  assert.equal(result.brokenAt, 'pod');
  assert.ok(result.seconds < 5, `took ${result.seconds} s`);
});

void test('the table shows every link, escaped in HTML', async () => {
  const odd = { ...unmet, actual: '<script>' };
  const result = await runChain(
    [link('repository', { check: () => Promise.resolve([odd]) }), link('database')],
    context,
  );
  assert.match(asText(result), /repository[\s\S]*broken[\s\S]*database[\s\S]*not reached/);
  assert.ok(!asHtml(result).includes('<script>'));
});

void test('names follow ADR-0002: prod elides, the owner role is in snake case, dashes of the app stay', () => {
  assert.equal(namesOf('erp').ownerRole, 'erp_role');
  assert.equal(namesOf('erp', 'sandbox').instance, 'erp-sandbox');
  assert.equal(namesOf('erp', 'sandbox').ownerRole, 'erp_sandbox_role');
  assert.equal(namesOf('erp', 'sandbox').ciRole, 'gitea_cicd_erp');
  assert.equal(namesOf('dance-lessons-coach').ownerRole, 'dance-lessons-coach_role');
});

void test('a near miss is at most two letters off and never the name itself', () => {
  assert.equal(nearMiss('canary', ['canary', 'erp']), undefined);
  assert.equal(nearMiss('canary', ['erp', 'canray', 'canar']), 'canar');
  assert.match(typoHint('canary', ['canray'], 'main.tf'), /"canray" exists instead of "canary": a typo in main.tf/);
});

void test('an app is added to both registers and taken out again without touching other lines', () => {
  const tfvars = 'applications = [\n  { name = "webapp" },\n  { name = "erp", envs = ["prod", "sandbox"] },\n]\n';
  assert.equal(addToTfvars(tfvars, 'canary'), tfvars.replace('\n]', '\n  { name = "canary" },\n]'));
  assert.throws(() => addToTfvars('other = []', 'canary'), /register the app/);
  const values =
    '# apps\ngitea_applications:\n  webapp:\n    annotations: {}\n  erp:\n    envs:\n      sandbox: {}\norg: x\n';
  const added = addToValues(values, 'canary');
  assert.ok(declares(added, 'canary') && declares(added, 'erp') && !declares(values, 'canary'));
  assert.equal(removeFromValues(added, 'canary'), values);
  assert.equal(removeFromValues(values, 'canary'), values);
  assert.ok(!declares(removeFromValues(values, 'erp'), 'erp'));
});

const application = (status: object): Parameters<typeof judgeSynced>[1] => ({
  metadata: { name: 'canary' },
  spec: { source: { repoURL: 'http://gitea/canary', path: 'chart' }, destination: { namespace: 'canary' } },
  status,
});

void test('Argo CD: an Application that it was told to skip is not looked after, whatever its status says', () => {
  const annotated = (value: string): NonNullable<ReturnType<typeof application>> => ({
    spec: { source: { repoURL: '' }, destination: {} },
    metadata: { name: 'canary', annotations: { [skipReconcile]: value } },
  });
  assert.deepEqual(
    ['true', 'false'].map((value) => judgeReconciled('canary', annotated(value)).status),
    ['unmet', 'met'],
  );
  assert.deepEqual(
    [application({}), undefined].map((one) => judgeReconciled('canary', one).status),
    ['met', 'unmet'],
  );
});

void test('Argo CD: an app path that is not there is definite, a repository out of reach is not', () => {
  const wrong = {
    conditions: [{ type: 'ComparisonError', message: 'Failed to load target state: chrat: app path does not exist' }],
  };
  assert.equal(judgeSynced('canary', application(wrong)).final, true);
  const away = { conditions: [{ type: 'ComparisonError', message: 'dial tcp 10.77.0.202:3000: connection refused' }] };
  assert.equal(judgeSynced('canary', application(away)).final, false);
  assert.equal(judgeSynced('canary', undefined).status, 'unmet');
  const synced = {
    sync: { status: 'Synced' },
    operationState: { phase: 'Succeeded' },
    health: { status: 'Progressing' },
  };
  assert.equal(judgeSynced('canary', application(synced)).status, 'met');
  assert.equal(judgeHealthy('canary', application(synced)).status, 'unmet');
  const running = { sync: { status: 'Synced' }, operationState: { phase: 'Running' } };
  assert.equal(judgeSynced('canary', application(running)).status, 'unmet');
});

const pod = (state: object, phase = 'Pending'): Parameters<typeof judgePods>[1][number] => ({
  metadata: { name: 'canary-1' },
  status: {
    phase,
    containerStatuses: [
      { name: 'webapp', image: 'arcodange/wepapp:1', imageID: '', ready: false, restartCount: 0, state },
    ],
  },
});

void test('Kubernetes: an image that does not exist is definite, a registry out of reach is not', () => {
  const missing = { waiting: { reason: 'ErrImagePull', message: 'docker.io/arcodange/wepapp:1: not found' } };
  assert.equal(judgePods('canary', [pod(missing)]).final, true);
  const away = { waiting: { reason: 'ErrImagePull', message: 'dial tcp 10.77.0.10:5000: connection refused' } };
  assert.equal(judgePods('canary', [pod(away)]).final, false);
  assert.equal(judgePods('canary', [pod({ running: {} }, 'Running')]).status, 'met');
  assert.equal(judgePods('canary', []).status, 'unmet');
});

const secret = (status?: object): Parameters<typeof judgeSecret>[2] => ({
  metadata: { name: 'canary-database', uid: 'this', generation: 1 },
  spec: { mount: 'postgres', path: 'creds/canary', destination: { name: 'canary-database' } },
  ...(status === undefined ? {} : { status }),
});
const warning = (message: string): Parameters<typeof judgeSecret>[3][number] => ({
  metadata: {},
  involvedObject: { kind: 'VaultDynamicSecret', name: 'canary-database', uid: 'this' },
  type: 'Warning',
  reason: 'SecretSyncError',
  message,
});

void test('secrets operator: a refusal of Vault is definite, a sealed Vault is not, and a later success counts', () => {
  const judge = (events: Parameters<typeof judgeSecret>[3], status?: object): Finding =>
    judgeSecret('VaultDynamicSecret', 'canary', secret(status), events);
  assert.equal(judge([warning('Error making API request. Code: 403. Errors: permission denied')]).final, true);
  assert.equal(judge([warning('Error making API request. Code: 503. Errors: Vault is sealed')]).final, false);
  assert.match(judge([warning('Code: 404. Errors: no handler for route "postgre/creds/canary"')]).hint ?? '', /mount/);
  const served = { lastGeneration: 1, secretLease: { id: 'postgres/creds/canary/x' } };
  const success = { ...warning('Secret synced'), type: 'Normal' };
  assert.equal(judge([warning('Code: 403'), success], served).status, 'met');
  assert.equal(judge([], { lastGeneration: 1 }).status, 'unmet');
  assert.equal(judge([], undefined).actual, 'not served yet');
  const predecessor = { ...warning('Code: 403'), involvedObject: { name: 'canary-database', uid: 'deleted' } };
  const givingBack = { ...warning('Code: 403'), reason: 'SecretLeaseRevoke' };
  assert.equal(judge([predecessor, givingBack], served).status, 'met');
});

void test('OpenTofu: changes and errors are read out of its JSON lines, progress is passed over', () => {
  const lines = [
    'OpenTofu v1.12.6',
    JSON.stringify({
      type: 'planned_change',
      change: { resource: { addr: 'postgresql_role.app_role["canary"]' }, action: 'create' },
    }),
    JSON.stringify({ type: 'apply_start', hook: {} }),
    JSON.stringify({ type: 'diagnostic', diagnostic: { severity: 'error', summary: 'role "x" does not exist' } }),
  ];
  assert.deepEqual(
    readEvents(lines.join('\n')).map((event) => event.type),
    ['planned_change', 'diagnostic'],
  );
});
