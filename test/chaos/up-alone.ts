/** An `up` as a process of its own, which may be killed: the frozen project on standard input, the engine's host as its argument. */
import { text } from 'node:stream/consumers'
import { run } from '../../src/apply/run.ts'
import { createClient } from '../../src/client/client.ts'
import { thaw } from '../../src/model/frozen.ts'
import { converge } from '../../src/targets/engine/converge.ts'
import { enginePerformer } from '../../src/targets/engine/perform/operations.ts'

const client = createClient(process.argv[2]!)
const project = thaw(JSON.parse(await text(process.stdin)))
process.stdout.write('begun\n')
const options = { removeOrphans: true, recreateVolumes: true, timeout: 0 }
await converge({ client, project, options, carryOut: plan => run(plan, enginePerformer(client)) })
client.close()
