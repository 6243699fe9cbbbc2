/**
 * A stack's life on a disk with room for 0, 1, 2, … pages, until there is enough: each write finds the disk full once. `npm run chaos`,
 * by hand. CHAOS_PAGES (200) is where it gives up.
 */
import { TestEngine } from '../support/engine.ts'
import { fullDiskRound, fullDiskStack } from '../support/full-disk-round.ts'

const most = Number(process.env['CHAOS_PAGES'] ?? 200)
/** Rounds in which nothing was refused, before it is taken to be enough. */
const enough = 3

const engine = await TestEngine.start(['busybox'], { disk: '24m' })
const stack = engine.stack(fullDiskStack)
const faults: string[] = []
let calm = 0
let pages = 0
for (; pages < most && calm < enough; pages++)
  try {
    calm = (await fullDiskRound(engine, stack, pages)) ? 0 : calm + 1
  } catch (error) {
    faults.push(`${pages} pages: ${(error as Error).message}`)
    console.log(faults.at(-1))
  }
console.log(`room for 0 to ${pages - 1} pages: ${faults.length} faults`)
// also shows that nothing of the engine is left on this machine
await engine.stop()
process.exitCode = faults.length > 0 || calm < enough ? 1 : 0
