import { Given, Then, When, type DataTable } from '@cucumber/cucumber';
import * as attempts from '../support/erp/attempts';
import { locate } from '../support/erp/client';
import type { Content } from '../support/erp/content-hash';
import { readSecrets } from '../support/erp/credentials';
import { takeGolden } from '../support/erp/golden';
import { production, sandbox } from '../support/erp/instances';
import * as probes from '../support/erp/probes';
import * as rehearsal from '../support/erp/rehearsal';
import { readerOf } from '../support/erp/commands';
import { compare, type Finding } from '../support/finding';
import { connectSystems } from '../support/systems';
import { Fact, type SandboxWorld } from '../support/world';

const known = new Fact<Content>('what production holds');
const tried = new Fact<Finding[]>('what was attempted');

Given("production's content is known", async function (this: SandboxWorld) {
  this.remember(known, await probes.hashProduction(connectSystems(this.target.inventory)));
});

Then("production's content has not changed", async function (this: SandboxWorld) {
  const now = await probes.hashProduction(connectSystems(this.target.inventory));
  await this.expectMet('production', [probes.sameContent('production', this.recall(known), now)]);
});

Then(
  'each of these is refused to a user leased from {string}:',
  async function (this: SandboxWorld, path: string, table: DataTable) {
    const wanted = table.hashes().map(({ attempt = '' }) => attempts.attemptNamed(attempt));
    const findings = await attempts.tryAsLeased(connectSystems(this.target.inventory), path, wanted);
    await this.expectMet('attempts on production', findings);
  },
);

Then(
  "production answers {int} to every write with the agent's key of the sandbox",
  async function (this: SandboxWorld, status: number) {
    const { vault, kubernetes } = connectSystems(this.target.inventory);
    const key = (await readSecrets(vault, sandbox.instance)).ai_agent_api_key;
    const address = await locate(kubernetes, production);
    await this.expectMet(
      'writes',
      await attempts.tryWrites(address, production.host, key, 'the sandbox’s key', status),
    );
  },
);

Then(
  "production answers {int} to every write with the agent's own key of production",
  async function (this: SandboxWorld, status: number) {
    const { vault, kubernetes } = connectSystems(this.target.inventory);
    const key = (await readSecrets(vault, production.instance)).ai_agent_api_key;
    const address = await locate(kubernetes, production);
    await this.expectMet('writes', await attempts.tryWrites(address, production.host, key, 'its own key', status));
  },
);

Then('the agent reads production with its own key', async function (this: SandboxWorld) {
  const erp = await readerOf(connectSystems(this.target.inventory), 'prod');
  const read = (await erp.list('thirdparties', { limit: 1000 })).length > 0 ? 'read' : 'nothing there';
  await this.expectMet('reading', [compare('third parties of production', 'read', read, 'GET /thirdparties')]);
});

Then(
  'nobody but the provisioner of the human-gated run can log in with the power to make or drop databases',
  async function (this: SandboxWorld) {
    await this.expectMet('standing powers', await probes.probeStandingPowers(connectSystems(this.target.inventory)));
  },
);

When(
  "{int} attempts are made with the sandbox's credentials and key",
  async function (this: SandboxWorld, count: number) {
    this.remember(tried, await attempts.tryMany(connectSystems(this.target.inventory), count));
  },
);

Then('all were refused', async function (this: SandboxWorld) {
  await this.expectMet('attempts', this.recall(tried));
});

Then('the guard refuses each of these hosts:', async function (this: SandboxWorld, table: DataTable) {
  const findings = table.hashes().map(({ host = '' }) => probes.guardRefuses(host));
  await this.expectMet('the host guard', findings);
});

Then("a session in production's database is refused, whoever opened it", async function (this: SandboxWorld) {
  await this.expectMet('sessions', await probes.sessionsRefused(connectSystems(this.target.inventory)));
});

Then(
  'a reset under this environment resets the sandbox and nothing else:',
  async function (this: SandboxWorld, table: DataTable) {
    const systems = connectSystems(this.target.inventory);
    const golden = await takeGolden(systems, (line) => this.log(line));
    this.undo('the golden of this scenario is gone', rehearsal.goldenGone({ golden: golden.name }));
    this.undo('the sandbox of the ERP is whole', rehearsal.wholeAgain({ golden: golden.name }));
    const environment = Object.fromEntries(table.hashes().map(({ variable = '', value = '' }) => [variable, value]));
    const { code, output } = await rehearsal.resetCommand({ args: ['--from', golden.name], environment });
    await this.show('reset', output);
    await this.expectMet('the reset', [compare('the reset', 'exit code 0', `exit code ${code}`, output.slice(-400))]);
  },
);
