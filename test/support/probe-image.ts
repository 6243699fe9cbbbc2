/** An image of the isolation probe (../shared/security/probe.c) with a shell beside it. */
import assert from 'node:assert/strict'
import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { constants } from 'node:os'
import { join } from 'node:path'
import { command, type Said } from './command.ts'
import { compiled } from './compiled.ts'
import type { TestEngine } from './engine.ts'
import { userModeKernel, which } from './needs.ts'

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
  const source = join(engine.folder, 'probe.c')
  const text = readFileSync(probe, 'utf8')
  writeFileSync(source, userModeKernel() ? withoutTables(text) : text)
  await compiled(tree, source)
  const archive = join(engine.folder, 'probe.tar')
  await command('tar', ['-C', tree, '-cf', archive, '.'])
  const imported = await engine.docker(['import', '-c', 'CMD ["/probe"]', archive, 'secprobe:latest'])
  assert.equal(imported.code, 0, imported.stderr)
}

/**
 * Where the probe cannot ask which calls are let through, since it finds them by their place, it leaves these tables out, and calls of 32 bits fail as
 * on a kernel without them. All else it tries as elsewhere; the tables are compared on every other kernel (test/vm/run.ts --qemu).
 */
function withoutTables(source: string): string {
  return [
    ['int live = 0, nosys = 0,', 'int live = 0, nosys = 1,'],
    ['int $0x80\\n', `mov $-${constants.errno.ENOSYS},%eax\\n`],
  ].reduce((text, [from, to]) => {
    assert.equal(text.split(from!).length, 2, `the probe has "${from}" once`)
    return text.replace(from!, () => to!)
  }, source)
}
