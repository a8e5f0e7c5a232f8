import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { run } from '../../command';
import { OperatorError } from '../../failure';
import { factoryHome } from '../../paths';

/** A checkout of the factory whose template was changed after the last commit. */
export interface ChangedTemplate {
  /** The template's chart. */
  chart: string;
  remove: () => Promise<void>;
}

/** A copy of the factory in which the template's instances call themselves by their app. @throws OperatorError when they did before. */
export async function withLiteralName(): Promise<ChangedTemplate> {
  const folder = mkdtempSync(join(tmpdir(), 'gate-copy-'));
  const remove = (): Promise<void> => Promise.resolve(rmSync(folder, { recursive: true, force: true }));
  for (const part of ['argocd', 'new-web-app', 'apps'])
    cpSync(join(factoryHome, part), join(folder, part), { recursive: true });
  const git = (...args: string[]): Promise<unknown> => run('git', ['-C', folder, ...args]);
  await git('init', '--quiet');
  await git('add', '--all');
  const author = ['-c', 'user.name=gate', '-c', 'user.email=gate@localhost', '-c', 'commit.gpgsign=false'];
  await git(...author, 'commit', '--quiet', '--message', 'The factory');
  const chart = join(folder, 'new-web-app', 'chart');
  const file = join(chart, 'templates', 'deployment.yaml');
  const text = readFileSync(file, 'utf8');
  const literal = text.replace('value: {{ .Values.instance | quote }}', 'value: "__APP__"');
  if (literal !== text) {
    writeFileSync(file, literal);
    return { chart, remove };
  }
  await remove();
  throw new OperatorError({
    attempted: 'name the app where the instance is meant',
    where: 'new-web-app/chart/templates/deployment.yaml',
    expected: '{{ .Values.instance | quote }}',
    seen: 'no such value',
    next: 'correct the change that this scenario makes.',
  });
}
