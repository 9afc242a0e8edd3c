# Two images: `worker` with all that training takes, and `serve`, which needs no TensorFlow, Prefect or DVC.
#   docker build -t manywalks-serve .
#   docker run -p 127.0.0.1:8080:8080 -v "$PWD/my-assay:/model:ro" manywalks-serve
FROM python:3.11-slim AS build
WORKDIR /build
COPY requirements.lock pyproject.toml README.md ./
COPY docker ./docker
COPY src ./src
COPY tasks ./tasks
COPY flows ./flows
RUN python -m venv /venv \
 && python docker/requirements.py requirements.lock > serve.lock \
 && /venv/bin/python -m pip install --no-cache-dir --require-hashes --no-deps -r serve.lock \
 && /venv/bin/python -m pip install --no-cache-dir --no-deps --no-build-isolation .

FROM python:3.11-slim AS base
# git for DVC; the others are what RDKit draws with
RUN apt-get update && apt-get install -y --no-install-recommends git libxrender1 libxext6 libexpat1 \
 && rm -rf /var/lib/apt/lists/* && useradd --create-home --uid 10001 manywalks
# numba keeps what it has compiled in a folder that any user may write to
ENV PATH=/venv/bin:$PATH NUMBA_CACHE_DIR=/tmp/numba DO_NOT_TRACK=1 PREFECT_SERVER_ANALYTICS_ENABLED=false

FROM base AS worker
WORKDIR /build
COPY requirements.lock pyproject.toml README.md ./
COPY src ./src
COPY tasks ./tasks
COPY flows ./flows
RUN python -m venv /venv \
 && /venv/bin/python -m pip install --no-cache-dir --require-hashes --no-deps -r requirements.lock \
 && /venv/bin/python -m pip install --no-cache-dir --no-deps --no-build-isolation .
USER manywalks
WORKDIR /work
CMD ["prefect", "worker", "start", "--pool", "manywalks"]

FROM base AS serve
COPY --from=build /venv /venv
USER manywalks
EXPOSE 8080
HEALTHCHECK --interval=30s --timeout=5s --start-period=60s \
 CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8080/health', timeout=4)"]
# 0.0.0.0 is the container's own network; publish the port where you want it
ENTRYPOINT ["manywalks", "serve", "--host", "0.0.0.0"]
CMD ["/model"]
