import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { withSeccompProfiles } from '../../../../src/targets/engine/perform/seccomp-profiles.ts'

const folder = mkdtempSync(join(tmpdir(), 'tsc-seccomp-'))
after(() => rmSync(folder, { recursive: true }))
const options = async (...SecurityOpt: string[]) =>
  (await withSeccompProfiles({ HostConfig: { SecurityOpt } })).HostConfig?.SecurityOpt

test('withSeccompProfiles() sends what stands in a file, and leaves other options alone', async () => {
  writeFileSync(join(folder, 'good.json'), '{ "defaultAction": "SCMP_ACT_ALLOW" }')
  assert.deepEqual(await options(`seccomp=${folder}/good.json`, 'no-new-privileges', 'seccomp=unconfined'), [
    'seccomp={"defaultAction":"SCMP_ACT_ALLOW"}',
    'no-new-privileges',
    'seccomp=unconfined',
  ])
})

test('withSeccompProfiles() says what is wrong with a file', async () => {
  writeFileSync(join(folder, 'bad.json'), 'no')
  const refused = (name: string, why: string) =>
    assert.rejects(options(`seccomp:${folder}/${name}`), {
      kind: 'invalid',
      message: `Cannot use seccomp profile "${folder}/${name}": ${why}`,
    })
  await refused('bad.json', 'it is not JSON')
  await refused('none.json', 'there is no such file')
})
