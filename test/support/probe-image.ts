/** An image of the isolation probe (../shared/security/probe.c) with a shell beside it. */
import assert from 'node:assert/strict'
import { copyFileSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { command, type Said } from './command.ts'
import { compiled } from './compiled.ts'
import type { TestEngine } from './engine.ts'
import { which } from './needs.ts'

/** Builds `probe` and imports it as secprobe:latest, with what is needed for that in the engine's folder. */
export async function importProbe(
  engine: Pick<TestEngine, 'folder'> & { docker(args: readonly string[]): Promise<Said> },
  probe: string,
): Promise<void> {
  const tree = join(engine.folder, 'probe-root')
  mkdirSync(join(tree, 'bin'), { recursive: true })
  mkdirSync(join(tree, 'etc'))
  mkdirSync(join(tree, 'tmp'), { mode: 0o1777 })
  for (const name of ['busybox', 'sh', 'ls', 'cat', 'sleep']) copyFileSync(which('busybox')!, join(tree, 'bin', name))
  writeFileSync(join(tree, 'etc/passwd'), 'root:x:0:0:root:/root:/bin/sh\n')
  writeFileSync(join(tree, 'etc/group'), 'root:x:0:\n')
  await compiled(tree, probe)
  const archive = join(engine.folder, 'probe.tar')
  await command('tar', ['-C', tree, '-cf', archive, '.'])
  const imported = await engine.docker(['import', '-c', 'CMD ["/probe"]', archive, 'secprobe:latest'])
  assert.equal(imported.code, 0, imported.stderr)
}
