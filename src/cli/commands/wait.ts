/** Waits until containers of services end; the exit code of the one that ended last is ours. */
import { endpoints } from '../../api/endpoints.ts'
import { listedName } from '../../api/listed-name.ts'
import { Failure } from '../../lib/failure.ts'
import { command } from '../command.ts'
import { replicasOf } from '../replicas.ts'

export const wait = command({
  usage: '[OPTIONS] SERVICE [SERVICE...]',
  words: [1, Infinity],
  options: { 'down-project': { kind: 'flag', about: 'Take the stack down when the first one ends' } },
  examples: [['tscompose wait migrate', 'its exit code is that of the container']],
  async run(call) {
    const { client, project, containers } = await replicasOf(call, { services: call.args })
    if (containers.length === 0) throw new Failure('conflict', `no containers for project "${project}"`)
    let last = 0
    const ends = containers.map(async container => {
      const params = { id: container.Id }
      const stream = await client.stream(endpoints.containerWait, { params }, { signal: call.signal })
      for await (const { StatusCode: code } of stream) {
        call.screen.print(`container "${container.Id}" exited with status code ${code}`)
        last = code
        return
      }
      throw new Failure(
        'internal',
        `Cannot wait for "${listedName(container)}": the engine ended the wait without an answer`,
      )
    })
    if (!call.options['down-project']) {
      await Promise.all(ends)
      return last
    }
    await Promise.race(ends)
    const code = last
    // the others end because of what follows; their waits have nothing more to say
    for (const end of ends) end.catch(() => undefined)
    const { down } = await import('./down.ts')
    const { valuesOf } = await import('../values.ts')
    await down.run({ ...call, args: [], options: valuesOf(down.options) })
    return code
  },
})
