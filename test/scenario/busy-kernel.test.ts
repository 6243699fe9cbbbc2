/** What the kernel gives up where the machine is busy, and leaves to its caller to begin again. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { TestEngine } from '../support/engine.ts'
import { lacking, program, root } from '../support/needs.ts'

describe('a busy kernel', { skip: lacking(root(), program('busybox'), program('strace')) }, () => {
  test('gives up a walk inside a root for what is mounted meanwhile: it is begun again', async () => {
    const often = ['strace', '-D', '-f', '-o', '/dev/null', '-e', 'inject=openat2:error=EAGAIN:when=1..50']
    const engine = await TestEngine.start(['busybox'], { under: often })
    try {
      const stack = engine.stack(
        'services: {own: {image: busybox, network_mode: none, volumes: ["data:/usr/bin/../../made/here"], command: ls /made}}\nvolumes: {data: {}}\n',
      )
      assert.equal((await stack.run('run', '--rm', '-T', 'own')).trim(), 'here')
    } finally {
      await engine.stop()
    }
  })
})
