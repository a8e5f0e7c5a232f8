import { deepEqual, equal, match, ok, throws } from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync, mkdirSync, existsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { parse } from 'yaml';
import { z } from 'zod';
import { OperatorError } from '../../support/failure';
import {
  renderAllRepositories,
  renderAppRepository,
  readFactoryApps,
  renderRepositories,
} from '../../support/factory/repositories';
import { namesOf } from '../../support/naming';
import { projectRoot } from '../../support/paths';

const factory = join(projectRoot, 'sandbox', 'factory');
const scratch = mkdtempSync(join(tmpdir(), 'factory-'));
after(() => rmSync(scratch, { recursive: true, force: true }));

const values = z
  .object({
    instance: z.string(),
    host: z.string(),
    database: z.object({ name: z.string(), ownerRole: z.string() }),
    vault: z.object({
      auth: z.object({ role: z.string() }),
      credentials: z.object({ path: z.string() }),
      config: z.object({ path: z.string() }),
    }),
  })
  .loose();

describe('the reference factory’s repositories', () => {
  it('are those of seed 004: eight apps, and only erp has a second environment', () => {
    deepEqual(
      readFactoryApps(factory).map((app) => [app.name, ...app.envs].join(' ')),
      [
        'webapp prod',
        'erp prod sandbox',
        'crowdsec prod',
        'plausible prod',
        'dance-lessons-coach prod',
        'cms prod',
        'url-shortener prod',
        'telegram-gateway prod',
      ],
    );
  });

  for (const app of readFactoryApps(factory)) {
    for (const env of app.envs) {
      it(`give ${app.name} in ${env} the names of ADR-0002`, () => {
        const files = renderAppRepository(app, { factory });
        const file = env === 'prod' ? 'chart/values.yaml' : `chart/values-${env}.yaml`;
        const names = namesOf(app.name, env);
        const rendered = values.parse(parse(files.get(file) ?? ''));
        deepEqual(
          [rendered.instance, rendered.host, rendered.database.name, rendered.database.ownerRole],
          [names.instance, names.host, names.instance, names.ownerRole],
        );
        deepEqual(
          [rendered.vault.auth.role, `postgres/${rendered.vault.credentials.path}`, rendered.vault.config.path],
          [names.instance, names.credentialsPath, names.configPath],
        );
      });
    }
  }

  it('hold a values file for an environment only where the app has it', () => {
    ok(renderAppRepository({ name: 'erp', envs: ['prod', 'sandbox'] }, { factory }).has('chart/values-sandbox.yaml'));
    const cms = [...renderAppRepository({ name: 'cms', envs: ['prod'] }, { factory }).keys()];
    deepEqual(
      cms.filter((path) => path.startsWith('chart/values')),
      ['chart/values.yaml'],
    );
  });

  it('keep instance names out of the templates: only values differ between instances', () => {
    const one = renderAppRepository({ name: 'cms', envs: ['prod'] }, { factory });
    const other = renderAppRepository({ name: 'webapp', envs: ['prod'] }, { factory });
    for (const [path, text] of one) if (path.startsWith('chart/templates/')) equal(text, other.get(path), path);
  });

  it('are the same bytes every time, and nothing of an older rendering stays', () => {
    const out = join(scratch, 'out');
    renderRepositories(out, factory);
    writeFileSync(join(out, 'cms', 'left-over'), '');
    renderRepositories(out, factory);
    ok(!existsSync(join(out, 'cms', 'left-over')));
    for (const [name, files] of renderAllRepositories(factory)) {
      for (const [path, text] of files) equal(readFileSync(join(out, name, path), 'utf8'), text);
    }
  });

  it('say in a sentence which token or file is wrong', () => {
    const broken = join(scratch, 'broken');
    mkdirSync(join(broken, 'new-web-app'), { recursive: true });
    writeFileSync(join(broken, 'new-web-app', 'values.yaml'), 'name: __AP__\n');
    throws(
      () => renderAppRepository({ name: 'cms', envs: ['prod'] }, { factory: broken }),
      (thrown) => thrown instanceof OperatorError && /__AP__/.test(thrown.message),
    );
    mkdirSync(join(broken, 'argocd'));
    writeFileSync(join(broken, 'argocd', 'values.yaml'), 'gitea_applications: {My_App: {}}\n');
    throws(
      () => readFactoryApps(broken),
      (thrown) => {
        match(String(thrown), /kebab-case/);
        return thrown instanceof OperatorError;
      },
    );
  });
});
