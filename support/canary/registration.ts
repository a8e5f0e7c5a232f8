import { parse } from 'yaml';
import { z } from 'zod';
import { OperatorError } from '../failure';

const valuesShape = z.object({ gitea_applications: z.record(z.string(), z.unknown()) });

/** Adds an app to the text of `terraform.tfvars`, as the new-web-app runbook has a person do it. */
export function addToTfvars(text: string, app: string): string {
  const closing = text.lastIndexOf(']');
  if (!/^applications\s*=\s*\[/m.test(text) || closing < 0)
    throw notThere('terraform.tfvars', 'applications = [ ... ]');
  const before = text.slice(0, closing).trimEnd();
  const comma = before.endsWith(',') || before.endsWith('[') ? '' : ',';
  return `${before}${comma}\n  { name = "${app}" },\n${text.slice(closing)}`;
}

/** Adds an app to the text of the app-of-apps' `values.yaml`. */
export function addToValues(text: string, app: string): string {
  const added = text.replace(/^gitea_applications:[ \t]*\n/m, (line) => `${line}  ${app}:\n    annotations: {}\n`);
  if (!declares(added, app)) throw notThere('argocd/values.yaml', 'gitea_applications:');
  return added;
}

/** Takes an app out of the text of the app-of-apps' `values.yaml`; other lines stay as they are. */
export function removeFromValues(text: string, app: string): string {
  const lines = text.split('\n');
  const begin = lines.findIndex((line) => line === `  ${app}:`);
  if (begin < 0) return text;
  const length = lines.slice(begin + 1).findIndex((line) => !line.startsWith('    '));
  lines.splice(begin, length < 0 ? lines.length - begin : length + 1);
  return lines.join('\n');
}

/** Whether the app-of-apps' `values.yaml` declares the app. */
export function declares(text: string, app: string): boolean {
  return app in (valuesShape.safeParse(parse(text)).data?.gitea_applications ?? {});
}

function notThere(file: string, expected: string): OperatorError {
  return new OperatorError({
    attempted: 'register the app',
    where: file,
    expected,
    seen: 'no such list',
    next: 'bring that file into the shape of the reference factory and run the same command again.',
  });
}
