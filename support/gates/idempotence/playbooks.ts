import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';
import { isMap, isSeq, LineCounter, parse, parseDocument, visit } from 'yaml';
import { z } from 'zod';
import { OperatorError } from '../../failure';
import type { Inventory } from '../../inventory';
import type { PlayRun } from './events';

/** The Ansible folder of a factory. */
export class PlaybookFolder {
  constructor(private readonly folder: string) {}

  /** Every playbook once: those that another imports are left to it. Paths relative to the folder, the whole site first. */
  all(): string[] {
    const candidates = ['.', 'recover'].flatMap((below) => this.playbooksIn(below)).sort();
    const imported = new Set(candidates.flatMap((playbook) => this.importedBy(playbook)));
    const own = candidates.filter((playbook) => !imported.has(playbook));
    return [...own.filter((playbook) => playbook === 'site.yml'), ...own.filter((playbook) => playbook !== 'site.yml')];
  }

  /** A playbook by its path: relative to the folder, or to where the caller stands. @throws OperatorError when there is none. */
  named(path: string): string {
    const here = [join(this.folder, path), resolve(path)].find((candidate) => existsSync(candidate));
    if (here !== undefined) return relative(this.folder, here);
    throw new OperatorError({
      attempted: 'find the playbook',
      where: this.folder,
      expected: `one of ${this.all().join(', ')}, or one that they import`,
      seen: path,
      next: 'give its path relative to the factory’s ansible folder.',
      exitCode: 2,
    });
  }

  /** Every name that a task of the folder registers a result under. */
  registered(): Set<string> {
    const files = readdirSync(this.folder, { recursive: true, encoding: 'utf8' }).filter((path) =>
      /\.ya?ml$/.test(path),
    );
    const texts = files.map((path) => readFileSync(join(this.folder, path), 'utf8'));
    return new Set(
      texts.flatMap((text) => [...text.matchAll(/^\s*(?:- )?register:\s*["']?(\w+)/gm)].map(([, name]) => name ?? '')),
    );
  }

  private playbooksIn(below: string): string[] {
    const folder = join(this.folder, below);
    if (!existsSync(folder)) return [];
    const files = readdirSync(folder).filter((file) => /\.ya?ml$/.test(file));
    return files.map((file) => join(below, file)).filter((path) => isPlaybook(join(this.folder, path)));
  }

  private importedBy(playbook: string): string[] {
    const folder = resolve(this.folder, playbook, '..');
    const text = readFileSync(join(this.folder, playbook), 'utf8');
    const imports = [...text.matchAll(/import_playbook:\s*["']?([\w./-]+)/g)];
    return imports.map(([, path]) => relative(this.folder, join(folder, path ?? '')));
  }
}

/** A list whose entries are plays or imports. A file that is no YAML counts: ansible-playbook will say what is wrong. */
function isPlaybook(file: string): boolean {
  try {
    const content: unknown = parse(readFileSync(file, 'utf8'));
    return Array.isArray(content) && content.some((entry) => typeof entry === 'object' && entry !== null);
  } catch {
    return true;
  }
}

/**
 * The hosts a play is meant for by the inventory, or undefined where its pattern is a template or an expression.
 * `localhost` stands for the operator's side, which is in no inventory.
 */
export function hostsMeant(play: PlayRun, inventory: Inventory): string[] | undefined {
  const pattern = hostsPattern(play.path);
  if (pattern === undefined) return undefined;
  const parts = pattern.split(/[,:]/).map((part) => part.trim());
  if (!parts.every((part) => /^[\w.-]+$/.test(part))) return undefined;
  const hosts = parts.flatMap((part) => {
    if (part === 'localhost' || part === '127.0.0.1') return [part];
    return inventory.machines
      .filter(({ name, groups }) => part === 'all' || name === part || groups.includes(part))
      .map(({ name }) => name);
  });
  return [...new Set(hosts)];
}

/**
 * The conditions of the task that begins at `file:line` and of the blocks around it, as a person wrote them: for tasks
 * whose result is hidden. They decide together, so they are one condition.
 */
export function conditionsOf(path: string): { false_condition?: string }[] {
  const [, file, line] = /^(.*):(\d+)$/.exec(path) ?? [];
  if (file === undefined || !existsSync(file)) return [{}];
  const counter = new LineCounter();
  const document = parseDocument(readFileSync(file, 'utf8'), { lineCounter: counter });
  let found: string[] | undefined;
  visit(document, {
    Map: (_, node, ancestors) => {
      if (node.range === null || node.range === undefined || counter.linePos(node.range[0]).line !== Number(line))
        return undefined;
      const around = [...ancestors, node].filter((one) => isMap(one));
      found = around.flatMap((one) => (one.has('when') ? [String(one.get('when'))] : []));
      return visit.BREAK;
    },
  });
  return found === undefined || found.length === 0 ? [{}] : [{ false_condition: found.join(' and ') }];
}

/** `hosts:` of the play that begins at `file:line`. */
function hostsPattern(path: string): string | undefined {
  const [, file, line] = /^(.*):(\d+)$/.exec(path) ?? [];
  if (file === undefined || !existsSync(file)) return undefined;
  const counter = new LineCounter();
  const document = parseDocument(readFileSync(file, 'utf8'), { lineCounter: counter });
  if (!isSeq(document.contents)) return undefined;
  for (const node of document.contents.items) {
    if (
      !isMap(node) ||
      node.range === null ||
      node.range === undefined ||
      counter.linePos(node.range[0]).line !== Number(line)
    )
      continue;
    const { hosts } = z.object({ hosts: z.unknown() }).parse(node.toJSON());
    if (typeof hosts === 'string') return hosts;
    return Array.isArray(hosts) ? hosts.join(',') : undefined;
  }
  return undefined;
}
