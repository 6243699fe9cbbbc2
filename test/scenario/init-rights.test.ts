/** What process 1 of `init: true` may still do, by the time the command runs. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { TestEngine } from '../support/engine.ts'
import { lacking, program, root } from '../support/needs.ts'

describe('an init', { skip: lacking(root(), program('busybox'), program('strace')) }, () => {
  test('has given up its rights before the command begins, however long that takes it', async () => {
    // holds each process up at its second capset: the first is for what it runs, the second for itself as an init
    const slow = ['strace', '-D', '-f', '-o', '/dev/null', '-e', 'inject=capset:delay_enter=300000:when=2+']
    const engine = await TestEngine.start(['busybox'], { under: slow })
    try {
      const stack = engine.stack(
        'services: {own: {image: busybox, init: true, network_mode: none, user: "1000", command: cat /proc/1/status}}\n',
      )
      const status = await stack.run('run', '--rm', '-T', 'own')
      const rights = status.match(/^Cap(?:Inh|Prm|Eff|Amb):\t\w+$/gm)
      const none = ['CapInh', 'CapPrm', 'CapEff', 'CapAmb'].map(name => `${name}:\t0000000000000000`)
      assert.deepEqual(rights, none)
    } finally {
      await engine.stop()
    }
  })
})
