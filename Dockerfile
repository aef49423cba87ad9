# docker build -t focal-loss-lab . && docker run --rm -p 8888:8888 focal-loss-lab
# Then open the address with the token that it prints.
#
# Run: the steps, by a plain user on Debian 12. Not run: docker build.
FROM node:22-bookworm
RUN apt-get update && apt-get install -y --no-install-recommends python3-venv && rm -rf /var/lib/apt/lists/*
USER node
WORKDIR /home/node/focal-loss-lab
COPY --chown=node:node . .
ENV TF_DEVICE=cpu
RUN node scripts/setup.mjs true && npm cache clean --force && rm -rf ~/.cache/pip .setup
EXPOSE 8888
CMD ["npm", "start", "--", "--ip=0.0.0.0", "--no-browser"]
