/** The options of the drivers whose log is a file of the engine's own: json-file and local. Pure. */
import { attributeOptions, badOption, because, type LogDriver, parsed } from './driver.ts'
import { parseBool, parseInteger, parseSize } from './go-values.ts'
import { checkAttributes } from './log-info.ts'

export const jsonFile: LogDriver = {
  options: ['max-size', 'max-file', 'compress', ...attributeOptions],
  unknown: option => `unknown log opt '${option}' for json-file log driver`,
  check: options => {
    const { 'max-size': size, 'max-file': files, compress } = options
    const unlimited = size === undefined || size === '-1'
    if (!unlimited && parseSize(size) <= 0) throw badOption('max-size must be a positive number')
    if (files !== undefined && parseInteger(files) < 1) throw badOption('max-file cannot be less than 1')
    if (compress !== undefined && parseBool(compress) && (unlimited || Number(files ?? 1) < 2))
      throw badOption('compress cannot be true when max-file is less than 2 or max-size is not set')
    checkAttributes(options)
  },
}

export const local: LogDriver = {
  options: ['max-size', 'max-file', 'compress'],
  unknown: option => `unknown log opt '${option}' for log driver local`,
  check: options => {
    const { 'max-size': size, 'max-file': files, compress } = options
    if (size !== undefined) parsed('max-size', size, parseSize)
    const count = files === undefined ? undefined : parsed('max-file', files, parseInteger)
    if (count !== undefined && count < 0) throw badOption('max file count cannot be less than 0')
    const compressed = compress === undefined || because('error reading compress log option', () => parseBool(compress))
    if (compressed && count !== undefined && count <= 1)
      throw badOption('compression cannot be enabled when max file count is 1')
  },
}
