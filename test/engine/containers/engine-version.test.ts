import assert from 'node:assert/strict'
import { test } from 'node:test'
import { newestVersion } from '../../../src/api/version.ts'
import { engineVersion } from '../../../src/engine/containers/show/info.ts'
import { release } from '../../../src/installation/release.ts'

test('clients take the engine for the Docker release whose API it speaks, and are told ours beside it', () => {
  const { Version, ApiVersion, Components } = engineVersion()
  // semantic versioning: what follows the plus has no part in a comparison
  const [docker, build] = Version.split('+')
  assert.match(docker!, /^28\.\d+\.\d+$/)
  assert.equal(build, `tscompose.${release}`)
  // that of Docker 28.3 to 28.5
  assert.deepEqual([ApiVersion, newestVersion], ['1.51', '1.51'])
  assert.deepEqual(
    Components!.map(({ Name, Version: own }) => [Name, own]),
    [['Engine', release]],
  )
})
