/** What is said of files whose wish has failed, to whoever watches. */
export const triedOnce = 'it is tried again when the files change, or what runs does'
