import assert from 'node:assert/strict'
import { test } from 'node:test'
import { attributePaths, usesOf } from '../../../src/stack/attributes.ts'
import { swarmSupport } from '../../../src/targets/swarm/support.ts'
import { load } from '../../stack/stacks.ts'

test('each attribute of the format is honoured, mapped or listed, and no rule is of another', () => {
  const paths = attributePaths()
  const rows = swarmSupport.table(paths)
  assert.deepEqual(
    rows.map(({ path }) => path),
    paths,
  )
  for (const { path, level, note } of rows) assert.equal(note === undefined, level === 'honoured', path)
  assert.deepEqual(
    swarmSupport.doubtful.filter(path => !paths.includes(path)),
    [],
  )
})

test('what a swarm does not do is warned of at the first place it is used', async () => {
  const { tree } = await load('services:\n  a:\n    image: i\n    privileged: true\n    cpuset: "0"\n    user: "1"\n')
  const found = swarmSupport.warnings(usesOf(tree, swarmSupport.doubtful))
  assert.deepEqual(
    found.map(({ place, message }) => `${place?.line} ${message}`),
    [
      '5 "cpuset" is not honoured: a swarm gives no task such a thing',
      '4 "privileged" is not honoured: a task has the capabilities of cap_add at most',
    ],
  )
})

test('a list is warned of where one of its items is not honoured', async () => {
  const found = async (items: string) => {
    const { tree } = await load(`services:\n  a:\n    image: i\n    security_opt: [${items}]\n`)
    return swarmSupport.warnings(usesOf(tree, swarmSupport.doubtful)).length
  }
  assert.equal(await found('no-new-privileges, "seccomp=unconfined"'), 0)
  assert.equal(await found('no-new-privileges, "apparmor=own"'), 1)
})
