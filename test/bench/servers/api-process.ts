/** The product's API as it is started in a container. It ends when the channel to the bench closes. */
process.once('disconnect', () => process.exit(0));
await import('../../../containers/api/main.ts');
