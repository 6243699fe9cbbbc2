import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { HostConfig as Asked } from '../../../src/api/container-body.ts'
import { noDefaults, underDefaults } from '../../../src/engine/containers/config/container-defaults.ts'
import { fillHostConfig } from '../../../src/engine/containers/config/host-config.ts'
import { processSpec } from '../../../src/engine/containers/config/process.ts'
import { usualLog } from '../../../src/engine/logs/log-defaults.ts'

const machine = { cpus: 1, logs: usualLog, nodes: () => 1, lacking: () => undefined }
const filled = (asked: Asked, shmSize?: number) => fillHostConfig(asked, { ...machine, shmSize }).hostConfig

const defaults = {
  noNewPrivileges: true,
  seccomp: 'unconfined',
  capDrop: ['CAP_NET_RAW', 'CAP_MKNOD'],
  pidsLimit: 100,
  ulimits: [
    { Name: 'nofile', Soft: 1, Hard: 2 },
    { Name: 'core', Soft: 0, Hard: 0 },
  ],
  shmSize: undefined,
}

describe('underDefaults()', () => {
  test('gives a container that says nothing what the settings say', () => {
    const { SecurityOpt, CapDrop, PidsLimit, Ulimits } = underDefaults(filled({}), defaults)
    assert.deepEqual(SecurityOpt, ['no-new-privileges', 'seccomp=unconfined'])
    assert.deepEqual(CapDrop, ['CAP_NET_RAW', 'CAP_MKNOD'])
    assert.equal(PidsLimit, 100)
    assert.deepEqual(Ulimits, defaults.ulimits)
  })

  test('leaves what a container asks for', () => {
    const asked = {
      SecurityOpt: ['no-new-privileges:false', 'seccomp=builtin'],
      CapAdd: ['NET_RAW'],
      CapDrop: ['CHOWN'],
      PidsLimit: 7,
      Ulimits: [{ Name: 'nofile', Soft: 5, Hard: 6 }],
    }
    const { SecurityOpt, CapDrop, PidsLimit, Ulimits } = underDefaults(filled(asked), defaults)
    assert.deepEqual(SecurityOpt, asked.SecurityOpt)
    assert.deepEqual(CapDrop, ['CAP_CHOWN', 'CAP_MKNOD'])
    assert.equal(PidsLimit, 7)
    assert.deepEqual(Ulimits, [asked.Ulimits[0], defaults.ulimits[1]])
    assert.deepEqual(underDefaults(filled({ CapAdd: ['ALL'] }), defaults).CapDrop, [])
  })

  test('confines no privileged container, whose limits hold all the same', () => {
    const asked = filled({ Privileged: true })
    const { SecurityOpt, CapDrop, PidsLimit } = underDefaults(asked, defaults)
    assert.deepEqual([SecurityOpt, CapDrop, PidsLimit], [asked.SecurityOpt, asked.CapDrop, 100])
  })

  test('changes nothing where the settings say nothing', () => {
    const hostConfig = filled({ CapDrop: ['CHOWN'] })
    const process = {
      args: ['x'],
      env: [],
      cwd: '/',
      user: { uid: 0, gid: 0, groups: [], home: '/' },
      privileged: false,
    }
    assert.deepEqual(processSpec(underDefaults(hostConfig, noDefaults), process), processSpec(hostConfig, process))
  })
})

test('/dev/shm has the size that a container asks for, or the settings', () => {
  assert.equal(filled({}).ShmSize, 64 * 1024 ** 2)
  assert.equal(filled({}, 4096).ShmSize, 4096)
  assert.equal(filled({ ShmSize: 8192 }, 4096).ShmSize, 8192)
  assert.throws(() => filled({ ShmSize: -1 }), { message: 'SHM size can not be less than 0' })
})
