import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { attributePaths, usesOf } from '../../../src/stack/attributes.ts'
import { pathsOf } from '../../../src/targets/kubernetes/objects/files.ts'
import { kubernetesSupport } from '../../../src/targets/kubernetes/support.ts'
import { load, loadFiles } from '../../stack/stacks.ts'
import { type Data, files, on, stacks } from '../engine/stacks.ts'
import { without } from '../engine/without.ts'
import { made } from './inputs.ts'

const all = attributePaths()

test('each attribute of the format is honoured, mapped or listed, and no rule is of another', () => {
  const rows = kubernetesSupport.table(all)
  assert.deepEqual(
    rows.map(({ path }) => path),
    all,
  )
  for (const { path, level, note } of rows) assert.equal(note === undefined, level === 'honoured', path)
  assert.deepEqual(
    kubernetesSupport.doubtful.filter(path => !all.includes(path)),
    [],
  )
})

/** What no object shows, and where it is read instead. */
const elsewhere: Readonly<Record<string, string>> = {
  'services.*.profiles': 'which services there are',
  'services.*.env_file.*.required': 'of a file that is not there',
}

/** What only a scheduler can honour, and objects that are there already. */
const more: readonly Data[] = [
  on({
    restart: 'always',
    healthcheck: { test: ['CMD', 'x'], disable: true },
    deploy: {
      placement: { constraints: ['node.labels.a == b'], preferences: [{ spread: 'node.labels.zone' }] },
      resources: { reservations: { cpus: '1' } },
      update_config: { order: 'start-first', parallelism: 2, delay: '3s' },
    },
  }),
  on({ restart: 'always', deploy: { update_config: { monitor: '4s' } } }),
  on(
    { secrets: ['s'], configs: ['c'], volumes: ['vol:/v'] },
    {
      secrets: { s: { external: true, name: 'own-s' } },
      configs: { c: { external: true, name: 'own-c' } },
      volumes: { vol: { external: { name: 'own-v' } } },
    },
  ),
  on(
    { secrets: ['s'], configs: ['c'] },
    { secrets: { s: { external: { name: 'own-s' } } }, configs: { c: { external: { name: 'own-c' } } } },
  ),
]

async function evidence(stack: Data): Promise<string> {
  let directory = ''
  try {
    const { project } = await loadFiles({ ...files, 'compose.yaml': JSON.stringify(stack) }, { env: { PATH: '/bin' } })
    directory = project.directory
    const seen = pathsOf(project).map(
      path => [path, { kind: 'file', contents: new Map([['', Buffer.from(path)]]) }] as const,
    )
    return JSON.stringify(made(project, { files: new Map(seen) })).replaceAll(directory, 'HERE')
  } catch (error) {
    return `refused: ${(error as Error).message.replaceAll(directory, 'HERE')}`
  }
}

describe('every attribute that support calls honoured changes what a cluster is told', () => {
  for (const { path, level } of kubernetesSupport.table(all))
    if (level === 'honoured')
      test(path, async () => {
        if (elsewhere[path] !== undefined) return
        const users = [...stacks, ...more]
          .map(stack => [stack, without(stack, path)])
          .filter(([, changed]) => changed !== undefined)
        assert.ok(users.length > 0, `no stack of this test uses ${path}`)
        const changes = await Promise.all(
          users.map(async ([stack, changed]) => (await evidence(stack)) !== (await evidence(changed))),
        )
        assert.ok(changes.includes(true), `${path} is accepted and ends nowhere`)
      })
})

test('what a cluster does not do is warned of at the first place it is used', async () => {
  const { tree } = await load(
    'services:\n  a:\n    image: i\n    ulimits: {nofile: 5}\n    cpuset: "0"\n    user: "1"\n',
  )
  const found = kubernetesSupport.warnings(usesOf(tree, kubernetesSupport.doubtful))
  assert.deepEqual(
    found.map(({ place, message }) => `${place?.line} ${message}`),
    ['5 "cpuset" is not honoured: a pod has no such thing', '4 "ulimits" is not honoured: limits of the node'],
  )
})
