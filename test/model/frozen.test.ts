import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { freeze, thaw } from '../../src/model/frozen.ts'
import type { Project } from '../../src/model/project.ts'
import { loadFiles } from '../stack/stacks.ts'

const yaml = `
name: shop
services:
  constructor:
    image: web:1
    ports: ["8080:80"]
    environment: { A: null, B: "1" }
    configs: [banner]
    secrets: [token]
    networks: { back: { aliases: [w] } }
    deploy: { replicas: 2, resources: { limits: { memory: 64m } } }
    healthcheck: { test: "true", interval: 5s }
    volumes: ["data:/data", { type: tmpfs, target: /run, tmpfs: { size: 1m } }]
  worker:
    extends: { file: base.yaml, service: worker }
    profiles: [later]
networks: { back: {} }
volumes: { data: {} }
configs: { banner: { content: hello } }
secrets: { token: { environment: TOKEN } }
`
const base = `
services:
  worker:
    image: worker:1
    build: { context: ., args: { V: null } }
`

async function shop(profiles: readonly string[] = []): Promise<Project> {
  const files = { 'compose.yaml': yaml, 'base.yaml': base }
  return (await loadFiles(files, { env: { TOKEN: 'hush' }, profiles: [...profiles] })).project
}

const written = (value: unknown): unknown => JSON.parse(JSON.stringify(value))
const dataOf = ({ place: _place, places: _places, ...data }: Project): unknown => written(data)

describe('freeze() and thaw()', () => {
  for (const profiles of [[], ['later']])
    test(`give back the same project, profiles ${JSON.stringify(profiles)}`, async () => {
      const project = { ...(await shop(profiles)), locked: new Set(['constructor']) }
      const again = thaw(written(freeze(project)))
      assert.deepEqual(dataOf(again), dataOf(project))
      assert.deepEqual(again.locked, project.locked)
      assert.equal('toString' in again.services, false)
    })

  test('keep the places down to the fields of a service, the nearest one for what lies deeper', async () => {
    const project = await shop(['later'])
    const again = thaw(written(freeze(project)))
    const paths = [
      ['services', 'constructor'],
      ['services', 'constructor', 'ports'],
      ['services', 'worker', 'build'],
      ['networks', 'back'],
    ]
    for (const path of paths) {
      assert.ok(project.place(path), path.join('.'))
      assert.deepEqual(again.place(path), project.place(path))
    }
    assert.deepEqual(
      again.place(['services', 'constructor', 'ports', '0']),
      project.place(['services', 'constructor', 'ports']),
    )
    assert.equal(again.place(['nothing', 'here']), undefined)
    assert.deepEqual(freeze(again).places, freeze(project).places)
  })

  test('leave the contents of variables out when told, and take them from the variables of then', async () => {
    const kept = JSON.stringify(freeze(await shop(), { withoutVariables: true }))
    assert.doesNotMatch(kept, /hush/)
    assert.deepEqual(thaw(JSON.parse(kept), { TOKEN: 'new' }).secrets['token']?.source, {
      kind: 'environment',
      variable: 'TOKEN',
      value: 'new',
    })
    assert.deepEqual(thaw(JSON.parse(kept)).secrets, thaw(JSON.parse(kept), { OTHER: 'x' }).secrets)
  })

  test('refuse what is no frozen project, and what a newer version made', async () => {
    for (const value of [undefined, null, [], {}, { version: 1 }, { version: 1, project: { name: 'x' } }])
      assert.throws(() => thaw(value), { kind: 'invalid', message: /kept model of a stack/ })
    const frozen = freeze(await shop())
    assert.throws(() => thaw({ ...frozen, version: 2 }), { kind: 'unsupported', message: /version 2, 1 is known/ })
    const { networks: _networks, ...rest } = frozen.project
    assert.throws(() => thaw(written({ ...frozen, project: rest })), { message: /no "networks"/ })
  })
})
