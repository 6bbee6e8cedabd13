import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { projectRoot } from '../../sandbox/stack/project-root.js';
import { NODE_VERSIONS } from '../../src/sessions/gate/node-trial.js';
import { pinnedNodes } from '../support/other-nodes.js';

const read = (...path: string[]): string => readFileSync(join(projectRoot(), ...path), 'utf8');
const major = (version: string): string | undefined => /\d+/.exec(version)?.[0];

it('package.json allows the versions of Node that are tried, and no others', () => {
  const { node } = JSON.parse(read('package.json')).engines as { node: string };
  expect(node).toBe(NODE_VERSIONS);
  const ours = major(/^FROM node:(\S+)/m.exec(read('Dockerfile'))?.[1] ?? '');
  expect(node.split(' || ').map(major)).toEqual([ours, ...pinnedNodes().map(major)]);
  expect(node).toMatch(/^(\^\d+\.\d+\.\d+( \|\| |$))+$/);
});
