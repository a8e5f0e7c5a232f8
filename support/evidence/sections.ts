import { createHash } from 'node:crypto';

/** A runbook's second-level sections: the slug of each heading and the SHA-256 of the section's text, heading included. */
export function sectionHashes(markdown: string): Map<string, string> {
  const hashes = new Map<string, string>();
  let slug: string | undefined;
  let lines: string[] = [];
  let fence: string | undefined;
  const close = (): void => {
    // Two sections of one name are one: a change of either is a change.
    if (slug !== undefined) hashes.set(slug, sha256(`${hashes.get(slug) ?? ''}${lines.join('\n').trimEnd()}\n`));
  };
  for (const line of markdown.split(/\r?\n/)) {
    const mark = /^ {0,3}(`{3,}|~{3,})/.exec(line)?.[1];
    if (mark !== undefined) {
      if (fence === undefined) fence = mark;
      else if (mark.startsWith(fence)) fence = undefined;
    }
    // A comment in a shell block is no heading.
    const title = fence === undefined ? /^##\s+(.*?)\s*#*$/.exec(line)?.[1] : undefined;
    if (title !== undefined) {
      close();
      slug = slugOf(title);
      lines = [];
    }
    lines.push(line);
  }
  close();
  return hashes;
}

/** A heading in the form of a link's anchor, as drills name their sections. */
function slugOf(title: string): string {
  return title
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N}\s-]/gu, '')
    .trim()
    .replaceAll(/\s+/g, '-');
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
