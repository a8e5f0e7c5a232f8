import type { Finding } from '../../finding';
import { typoHint } from '../../naming';
import type { CanaryContext, Link } from '../link';

/** Files without which the later links cannot work: the chart Argo CD renders, the module CI applies. */
const needed = ['chart/Chart.yaml', 'chart/values.yaml', 'iac/main.tf'];

/** The app's repository in Gitea, made from the new-web-app template. */
export const repositoryLink: Link = {
  name: 'repository',
  title: 'Gitea repository from the new-web-app template',
  act: async ({ systems, workspace }) => {
    const name = workspace.repository;
    await systems.gitea.createRepository(name);
    const files = await workspace.repositoryFiles();
    const changes = files.map((file) => ({ operation: 'create' as const, ...file }));
    await systems.gitea.commit(name, 'Begin with the new-web-app template', changes);
  },
  check: async ({ systems, names }) => {
    const found = await systems.gitea.repository(names.app);
    const subject = `repository ${systems.gitea.organisation}/${names.app}`;
    const source = `GET /repos/${systems.gitea.organisation}/${names.app}`;
    if (found === undefined) {
      const others = (await systems.gitea.repositories()).map((repository) => repository.name);
      const hint = typoHint(names.app, others, 'the name given to the new repository');
      return [{ subject, status: 'unmet', final: true, expected: 'to exist', actual: 'not found', source, hint }];
    }
    const made: Finding = {
      subject,
      status: 'met',
      expected: 'to exist',
      actual: `branch ${found.default_branch}`,
      source,
    };
    return [made, await files({ systems, names })];
  },
};

async function files({ systems, names }: Pick<CanaryContext, 'systems' | 'names'>): Promise<Finding> {
  const present = await Promise.all(needed.map((path) => systems.gitea.file(names.app, path)));
  const missing = needed.filter((_, index) => present[index] === undefined);
  return {
    subject: `content of ${systems.gitea.organisation}/${names.app}`,
    status: missing.length === 0 ? 'met' : 'unmet',
    expected: needed.join(', '),
    actual: missing.length === 0 ? 'all present' : `missing: ${missing.join(', ')}`,
    source: `GET /repos/${systems.gitea.organisation}/${names.app}/contents`,
  };
}
